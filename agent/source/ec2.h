/* The EC2 source with a transport of the caller's: what tests need beside source.h. */
#ifndef BOOTLACE_SOURCE_EC2_H
#define BOOTLACE_SOURCE_EC2_H

#include "source/ec2_session.h"

/* As source_ec2.open, but with this transport and clock instead of the plug-in and real time. */
int ec2_open_with(const struct settings *settings, const struct http_transport *transport,
                  const struct ec2_clock *clock, void **state, struct error *error);

#endif
