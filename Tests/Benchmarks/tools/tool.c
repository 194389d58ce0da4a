// Small programs that the benchmarks run inside steps and as yardsticks. Written in C so that what is measured is not the measure.
//
//   tool stamp FILE                 append CLOCK_MONOTONIC (ns) to FILE: the "first instruction" of a step
//   tool lines COUNT FILE           print COUNT lines of 101 bytes as fast as the reader takes them; FILE gets a stamp first
//   tool ticks COUNT PERIOD_US GO   once the file GO is there (or GO is "-"), print a stamped line each PERIOD_US
//   tool spawn COUNT COMMAND        posix_spawn `sh -c COMMAND` and wait, COUNT times; print start and end (ns) of each
//   tool fsync COUNT FILE           append 4 KiB and fdatasync, COUNT times; print ns of each
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "tool: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void write_all(int file, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(file, bytes, count);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail("write");
        bytes += written;
        count -= (size_t)written;
    }
}

static void stamp(int64_t time, const char *path) {
    char text[32];
    int count = snprintf(text, sizeof text, "%" PRId64 "\n", time);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0) fail(path);
    write_all(file, text, (size_t)count);
    close(file);
}

// Lines like those of a compiler: words that repeat, numbers that do not. 100 bytes and a line feed each, the same in every run.
static void lines(long count) {
    static char buffer[64 * 1024];
    size_t used = 0;
    uint64_t random = 88172645463325252u;
    for (long i = 1; i <= count; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        char line[160];
        int length = snprintf(
            line, sizeof line, "[%07ld] CC src/module_%02u/unit_%04ld.c -> build/module_%02u.o -O2 -Wall -Wextra %u ms", i,
            (unsigned)(i / 997 % 100), i % 997, (unsigned)(i / 997 % 100), (unsigned)(random % 100));
        memset(line + length, ' ', sizeof line - (size_t)length);
        memcpy(line + 98, "ok\n", 3);
        if (used + 101 > sizeof buffer) {
            write_all(1, buffer, used);
            used = 0;
        }
        memcpy(buffer + used, line, 101);
        used += 101;
    }
    write_all(1, buffer, used);
}

static void ticks(long count, long period_us, const char *go) {
    struct timespec pause = {0, 2000000};
    while (strcmp(go, "-") != 0 && access(go, F_OK) != 0) nanosleep(&pause, NULL);
    int64_t next = now() + 200000000;
    for (long i = 0; i < count; i++, next += period_us * 1000) {
        struct timespec until = {next / 1000000000, next % 1000000000};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) continue;
        char line[64];
        int length = snprintf(line, sizeof line, "i=%ld t=%" PRId64 " end\n", i, now());
        write_all(1, line, (size_t)length);
    }
}

static void spawn(long count, char *command) {
    char *arguments[] = {"sh", "-c", command, NULL};
    for (long i = 0; i < count; i++) {
        pid_t child;
        int64_t start = now();
        errno = posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ);
        if (errno != 0) fail("posix_spawn");
        int status;
        if (waitpid(child, &status, 0) != child || status != 0) fail("waitpid");
        printf("%" PRId64 " %" PRId64 "\n", start, now());
    }
}

static void sync_file(long count, const char *path) {
    static char block[4096];
    memset(block, 'x', sizeof block);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0) fail(path);
    for (long i = 0; i < count; i++) {
        int64_t start = now();
        write_all(file, block, sizeof block);
        if (fdatasync(file) != 0) fail("fdatasync");
        printf("%" PRId64 "\n", now() - start);
    }
    close(file);
    unlink(path);
}

int main(int count, char **arguments) {
    int64_t start = now();
    const char *verb = count > 1 ? arguments[1] : "";
    if (strcmp(verb, "stamp") == 0 && count == 3) stamp(start, arguments[2]);
    else if (strcmp(verb, "lines") == 0 && count == 4) {
        if (strcmp(arguments[3], "-") != 0) stamp(start, arguments[3]);
        lines(atol(arguments[2]));
    } else if (strcmp(verb, "ticks") == 0 && count == 5) ticks(atol(arguments[2]), atol(arguments[3]), arguments[4]);
    else if (strcmp(verb, "spawn") == 0 && count == 4) spawn(atol(arguments[2]), arguments[3]);
    else if (strcmp(verb, "fsync") == 0 && count == 4) sync_file(atol(arguments[2]), arguments[3]);
    else {
        fprintf(stderr, "tool: unknown use; see the head of tool.c\n");
        return 2;
    }
    return 0;
}
