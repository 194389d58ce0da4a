// Preloaded into a program, lets its wall clock go wrong by ANSFLOW_CLOCK_SHIFT seconds, or by as many as the first eight bytes of the file
// ANSFLOW_CLOCK_FILE say at the moment. Clocks that count from the boot stay right, as they do on a host whose date is wrong.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long shift(void) {
    static int known;
    static long seconds;
    static volatile long *shared;
    if (!known) {
        const char *text = getenv("ANSFLOW_CLOCK_SHIFT");
        const char *file = getenv("ANSFLOW_CLOCK_FILE");
        seconds = text ? atol(text) : 0;
        int descriptor = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
        if (descriptor >= 0) {
            void *place = mmap(NULL, sizeof *shared, PROT_READ, MAP_SHARED, descriptor, 0);
            if (place != MAP_FAILED) shared = place;
            close(descriptor);
        }
        known = 1;
    }
    return shared ? *shared : seconds;
}

int clock_gettime(clockid_t id, struct timespec *out) {
    int result = (int)syscall(SYS_clock_gettime, id, out);
    if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) out->tv_sec += shift();
    return result;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

// Deadlines are given by the shifted clock and waited for by the kernel's.
int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict end) {
    static int (*original)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    if (!original) *(void **)&original = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    struct timespec right = *end;
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    long away = (long)(right.tv_sec - now.tv_sec) - shift();
    // Conditions that count by the boot's clock are far from today.
    if (away > -86400 && away < 86400 * 30) right.tv_sec -= shift();
    return original(condition, mutex, &right);
}
