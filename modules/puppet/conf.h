/*
 * puppet.conf: sections of "setting = value" lines, comments behind '#'; see Puppet's reference,
 * "Config files: The main config file". What is there stays as it is and where it is; a setting
 * that is asked for takes its line, or a new one at the end of its section.
 */
#ifndef BOOTLACE_PUPPET_CONF_H
#define BOOTLACE_PUPPET_CONF_H

#include <support/text.h>

/* Sets one setting of a section in the text; value is one line. */
void conf_set(struct text *text, const char *section, const char *setting, const char *value);

#endif
