#define _GNU_SOURCE
#include "cagentsystem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int ansflow_daemonize(int *ready) {
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) < 0) {
        return -errno;
    }
    pid_t pid = fork();
    if (pid < 0) {
        return -errno;
    }
    if (pid == 0) {
        close(pair[0]);
        *ready = pair[1];
        return setsid() < 0 ? -errno : 0;
    }
    close(pair[1]);
    uint8_t code = 1;
    ssize_t count;
    do {
        count = read(pair[0], &code, 1);
    } while (count < 0 && errno == EINTR);
    _exit(count == 1 ? code : 1);
}

int ansflow_become_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL) < 0 ? -errno : 0;
}

int ansflow_close_from(int first) {
    if (syscall(SYS_close_range, (unsigned)first, UINT_MAX, 0U) == 0) {
        return 0;
    }
    // Before Linux 5.9.
    DIR *directory = opendir("/proc/self/fd");
    if (!directory) {
        return -errno;
    }
    struct dirent *entry;
    while ((entry = readdir(directory))) {
        int fd = atoi(entry->d_name);
        if (fd >= first && fd != dirfd(directory)) {
            close(fd);
        }
    }
    closedir(directory);
    return 0;
}

void ansflow_ignore_signals(void) {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

int ansflow_child_signal_fd(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    signal(SIGCHLD, SIG_DFL);
    if (sigprocmask(SIG_SETMASK, &set, NULL) < 0) {
        return -errno;
    }
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

void ansflow_child_signal_drain(int fd) {
    struct signalfd_siginfo info[8];
    while (read(fd, info, sizeof info) > 0) {
    }
}

static uint64_t microseconds(struct timeval time) { return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_usec; }

int ansflow_reap(struct ansflow_reaped *out) {
    int status = 0;
    struct rusage usage;
    pid_t pid;
    do {
        pid = wait4(-1, &status, WNOHANG | __WALL, &usage);
    } while (pid < 0 && errno == EINTR);
    if (pid <= 0) {
        return pid < 0 ? -errno : 0;
    }
    out->pid = pid;
    out->signalled = WIFSIGNALED(status) ? 1 : 0;
    out->value = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    out->user_us = microseconds(usage.ru_utime);
    out->system_us = microseconds(usage.ru_stime);
    out->memory_peak_bytes = (uint64_t)usage.ru_maxrss * 1024u;
    return 1;
}

// The parent of `pid`, from the fourth field of its stat; the second may hold blanks and parentheses.
static pid_t parent_of(pid_t pid) {
    char path[64];
    char text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    ssize_t count = read(fd, text, sizeof text - 1);
    close(fd);
    if (count <= 0) {
        return -1;
    }
    text[count] = 0;
    const char *end = strrchr(text, ')');
    int parent = -1;
    if (!end || sscanf(end + 1, " %*c %d", &parent) != 1) {
        return -1;
    }
    return parent;
}

int ansflow_signal_children(int signal) {
    DIR *directory = opendir("/proc");
    if (!directory) {
        return -errno;
    }
    pid_t self = getpid();
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(directory))) {
        char *end = NULL;
        long pid = strtol(entry->d_name, &end, 10);
        if (pid <= 1 || *end || parent_of((pid_t)pid) != self) {
            continue;
        }
        count++;
        kill((pid_t)pid, signal);
    }
    closedir(directory);
    return count;
}
