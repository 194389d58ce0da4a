#define _GNU_SOURCE
#include "clogtext.h"

#include <string.h>
#include <strings.h>

static int is_control(const unsigned char *at, const unsigned char *end) {
    unsigned char c = *at;
    if (c >= 0x20) return c == 0x7f || (c == 0xc2 && at + 1 < end && at[1] < 0xa0);
    return c != '\t';
}

size_t ansflow_first_control(const void *bytes, size_t size) {
    const unsigned char *start = bytes, *end = start + size;
    for (const unsigned char *at = start; at < end; at++) {
        unsigned char c = *at;
        // Most bytes are letters: one comparison tells.
        if ((unsigned char)(c - 0x20) < 0x5f) continue;
        if (c != '\n' && is_control(at, end)) return (size_t)(at - start);
    }
    return size;
}

size_t ansflow_find(const void *bytes, size_t size, const void *needle, size_t length, int folds) {
    const unsigned char *start = bytes, *wanted = needle;
    if (length == 0) return 0;
    if (length > size) return size;
    if (!folds) {
        const unsigned char *found = memmem(start, size, needle, length);
        return found ? (size_t)(found - start) : size;
    }
    unsigned char low = wanted[0], high = wanted[0];
    if (low >= 'A' && low <= 'Z') low |= 0x20;
    if (low >= 'a' && low <= 'z') high = low & 0xdf;
    size_t last = size - length + 1;
    // Where each form of the first letter comes next.
    const unsigned char *a = memchr(start, low, last), *b = low == high ? NULL : memchr(start, high, last);
    while (a || b) {
        const unsigned char *at = !b || (a && a < b) ? a : b;
        if (strncasecmp((const char *)at, (const char *)wanted, length) == 0) return (size_t)(at - start);
        size_t rest = last - (size_t)(at + 1 - start);
        if (at == a) a = rest ? memchr(at + 1, low, rest) : NULL;
        else b = rest ? memchr(at + 1, high, rest) : NULL;
    }
    return size;
}

size_t ansflow_behind_last_newline(const void *bytes, size_t size) {
    const unsigned char *start = bytes, *found = memrchr(start, '\n', size);
    return found ? (size_t)(found - start) + 1 : 0;
}

static int starts(const unsigned char *at, const unsigned char *end, const char *word, size_t length) {
    return (size_t)(end - at) >= length && strncasecmp((const char *)at, word, length) == 0;
}

size_t ansflow_first_level_word(const void *bytes, size_t size) {
    const unsigned char *start = bytes, *end = start + size;
    for (const unsigned char *at = start; at < end; at++) {
        int found = 0;
        switch (*at | 0x20) {
            case 'e': found = starts(at, end, "error", 5) || starts(at, end, "exception:", 10); break;
            case 'f': found = starts(at, end, "fatal", 5) || starts(at, end, "fail", 4); break;
            case 'p': found = starts(at, end, "panic:", 6); break;
            case 't': found = starts(at, end, "traceback", 9); break;
            case 'w': found = starts(at, end, "warn", 4); break;
            default: break;
        }
        if (found) return (size_t)(at - start);
    }
    return size;
}
