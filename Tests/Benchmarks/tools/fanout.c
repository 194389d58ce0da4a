// The yardstick of many viewers: a bare server that writes one stamped line to each of its plain connections each period.
//
//   fanout CONNECTIONS LINES PERIOD_US      prints its port, takes the connections, waits a moment, then sends
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int main(int count, char **arguments) {
    if (count != 4) return 2;
    long connections = atol(arguments[1]), lines = atol(arguments[2]), period = atol(arguments[3]);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1024) != 0) return 1;
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    int *sockets = calloc((size_t)connections, sizeof *sockets);
    for (long i = 0; i < connections; i++) {
        sockets[i] = accept(listener, NULL, NULL);
        if (sockets[i] < 0) return 1;
        int one = 1;
        setsockopt(sockets[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    int64_t next = now() + 500000000;
    for (long line = 0; line < lines; line++, next += period * 1000) {
        struct timespec until = {next / 1000000000, next % 1000000000};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) continue;
        char text[128];
        int length = snprintf(text, sizeof text, "i=%ld t=%" PRId64 " end\n", line, now());
        for (long i = 0; i < connections; i++) {
            if (send(sockets[i], text, (size_t)length, MSG_NOSIGNAL) != length) return 1;
        }
    }
    sleep(1);
    return 0;
}
