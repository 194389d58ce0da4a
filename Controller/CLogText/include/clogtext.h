#ifndef ANSFLOW_CLOGTEXT_H
#define ANSFLOW_CLOGTEXT_H

#include <stddef.h>

// Loops over every byte of a log, which Swift without its optimiser would make slow.

/// Where the first byte is that can't be shown as it is: controls but for the tab, and the lead of U+0080 to U+009F. `size` if there
/// is none.
size_t ansflow_first_control(const void *bytes, size_t size);

/// Where `needle` first is, with `folds` whatever the case of its ASCII letters. `size` if it is nowhere. An empty one is at 0.
size_t ansflow_find(const void *bytes, size_t size, const void *needle, size_t length, int folds);

/// Where the bytes behind the last newline begin; 0 if there is none.
size_t ansflow_behind_last_newline(const void *bytes, size_t size);

/// Where a word first is that can make a line an error or a warning. `size` if none is.
size_t ansflow_first_level_word(const void *bytes, size_t size);

#endif
