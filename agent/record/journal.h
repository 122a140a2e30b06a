/* The journals of a record: reading them all, at its opening. See record.h for appending. */
#ifndef BOOTLACE_RECORD_JOURNAL_H
#define BOOTLACE_RECORD_JOURNAL_H

#include "record/record.h"

/* Fills history, history_once and last_run; a journal that is not there is an empty one. */
int journal_read(struct record *record, struct error *error);

#endif
