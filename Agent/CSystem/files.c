#define _GNU_SOURCE
#include "cagentsystem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

uint64_t ansflow_boottime_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

int ansflow_boot_id(char out[37]) {
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    ssize_t count = read(fd, out, 36);
    close(fd);
    if (count != 36) {
        return -EIO;
    }
    out[36] = 0;
    return 0;
}

int ansflow_timer_fd(void) {
    int fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int ansflow_timer_set(int fd, uint64_t due_ms) {
    // Setting a timer also forgets that it was due. Rounded up, so that it is never early; a far moment is cut to what fits.
    if (due_ms > UINT64_C(4000000000000)) {
        due_ms = UINT64_C(4000000000000);
    }
    struct itimerspec time = {0};
    time.it_value.tv_sec = (time_t)(due_ms / 1000u);
    time.it_value.tv_nsec = (long)(due_ms % 1000u) * 1000000L;
    return timerfd_settime(fd, TFD_TIMER_ABSTIME, &time, NULL) < 0 ? -errno : 0;
}

int ansflow_lock(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return -errno;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int ansflow_lock_is_held(const char *path) {
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return -errno;
    }
    int result = flock(fd, LOCK_SH | LOCK_NB) == 0 ? 0 : errno == EWOULDBLOCK ? 1 : -errno;
    close(fd);
    return result;
}

// The address of `name` in `dirfd` by way of /proc, which is always short.
static int address(int dirfd, const char *name, struct sockaddr_un *out) {
    memset(out, 0, sizeof *out);
    out->sun_family = AF_UNIX;
    int length = snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/%s", dirfd, name);
    return length < 0 || (size_t)length >= sizeof out->sun_path ? -ENAMETOOLONG : 0;
}

int ansflow_unix_listen(int dirfd, const char *name) {
    struct sockaddr_un to;
    int failed = address(dirfd, name, &to);
    if (failed < 0) {
        return failed;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -errno;
    }
    unlinkat(dirfd, name, 0);
    mode_t before = umask(0177);
    int bound = bind(fd, (struct sockaddr *)&to, sizeof to);
    int error = errno;
    umask(before);
    if (bound == 0 && listen(fd, 32) == 0) {
        return fd;
    }
    if (bound == 0) {
        error = errno;
    }
    close(fd);
    return -error;
}

int ansflow_unix_connect(const char *dir, const char *name) {
    int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0) {
        return -errno;
    }
    struct sockaddr_un to;
    int result = address(dirfd, name, &to);
    int fd = -1;
    if (result == 0) {
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        result = fd < 0 ? -errno : 0;
    }
    if (result == 0 && connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
        result = -errno;
        close(fd);
    }
    close(dirfd);
    return result < 0 ? result : fd;
}

int ansflow_accept(int fd) {
    int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    return connection < 0 ? -errno : connection;
}

ssize_t ansflow_write_pair(
    int fd, const void *head, size_t head_length, const void *body, size_t body_length, int *error) {
    size_t total = head_length + body_length;
    size_t done = 0;
    *error = 0;
    while (done < total) {
        struct iovec parts[2];
        int count = 0;
        if (done < head_length) {
            parts[count].iov_base = (char *)(uintptr_t)head + done;
            parts[count++].iov_len = head_length - done;
        }
        size_t skipped = done > head_length ? done - head_length : 0;
        if (skipped < body_length) {
            parts[count].iov_base = (char *)(uintptr_t)body + skipped;
            parts[count++].iov_len = body_length - skipped;
        }
        ssize_t written = writev(fd, parts, count);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            *error = written < 0 ? errno : ENOSPC;
            break;
        }
        done += (size_t)written;
    }
    return (ssize_t)done;
}
