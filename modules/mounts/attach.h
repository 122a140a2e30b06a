/*
 * Volumes that the instance attaches to itself: EC2 DescribeVolumes and AttachVolume (API version
 * 2016-11-15). The role needs both, for the volume and for the instance.
 */
#ifndef BOOTLACE_MOUNTS_ATTACH_H
#define BOOTLACE_MOUNTS_ATTACH_H

#include <bootlace/module.h>

enum { ATTACH_WAIT_S = 120 };

/*
 * Attaches the volume under that name of a device ("/dev/sdf"), and waits until EC2 says so. 1
 * where it was attached, 0 where it is this instance's already, or a negative errno and *why:
 * -EBUSY where another instance has it.
 */
int attach_volume(const struct bootlace_host *host, const char *volume, const char *device,
                  unsigned wait_s, const char **why);

#endif
