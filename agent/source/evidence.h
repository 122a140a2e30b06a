/*
 * Signs that this machine is an EC2 instance, read from files alone.
 *
 * Whoever asks the link-local address without them hands its trust to whoever answers there
 * (CVE-2024-6174). The signs: DMI's vendor is "Amazon EC2"; DMI's product UUID or serial number
 * begins with "ec2", the UUID also with its first field byte-swapped (SMBIOS before 2.6 left the
 * order open); Xen's /sys/hypervisor/uuid begins with "ec2".
 */
#ifndef BOOTLACE_SOURCE_EVIDENCE_H
#define BOOTLACE_SOURCE_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether there is such a sign; which one, or that there is none, goes to why. */
bool evidence_of_ec2(char *why, size_t size);

/* Whether a UUID's text begins with "ec2", in either byte order. */
bool evidence_uuid_is_ec2(const char *uuid);

#endif
