// Many viewers of one log in one process: opens WebSockets (or plain connections), counts the stamped lines that `tool ticks`
// printed and how late each came, and checks that each viewer saw each line once, in order.
//
//   viewers HOST PORT PATH TOKEN VIEWERS LINES DEADLINE_S     PATH "-" for a plain TCP stream of the same lines (the yardstick)
//
// Prints "ready" when all viewers are open, then, at the end, one JSON object.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 256 * 1024 };

struct viewer {
    int socket;
    char *bytes;
    size_t used;
    size_t skip;  // bytes of the frame at the front that were read already
    long next;
    long seen;
    int done;
};

static long viewers_count, lines_count;
static uint32_t *delays;
static size_t delays_count;
static long wrong, lagged, closed, done_count;
static int is_plain;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "viewers: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void take_lines(struct viewer *viewer, char *from, char *end, int64_t at) {
    while (from < end) {
        char *found = memmem(from, (size_t)(end - from), "i=", 2);
        if (found == NULL) return;
        char *text = found + 2;
        long index = strtol(text, &text, 10);
        if (strncmp(text, " t=", 3) != 0) {
            from = found + 2;
            continue;
        }
        int64_t written = strtoll(text + 3, &text, 10);
        if (index != viewer->next) wrong++;
        viewer->next = index + 1;
        viewer->seen++;
        int64_t delay = (at - written) / 1000;
        if (delays_count < (size_t)viewers_count * (size_t)lines_count) {
            delays[delays_count++] = delay < 0 ? 0 : delay > UINT32_MAX ? UINT32_MAX : (uint32_t)delay;
        }
        from = text;
    }
}

static void pong(struct viewer *viewer, const char *payload, size_t length) {
    char frame[6 + 125] = {(char)0x8A, (char)(0x80 | length)};
    if (length > 125) return;
    memcpy(frame + 6, payload, length);  // a mask of zeros
    if (send(viewer->socket, frame, 6 + length, MSG_NOSIGNAL) < 0) closed++;
}

// Takes whole frames from the front of the buffer; returns how many bytes they had.
static size_t take_frames(struct viewer *viewer, int64_t at) {
    size_t place = 0;
    while (viewer->used - place >= 2) {
        unsigned char *head = (unsigned char *)viewer->bytes + place;
        size_t header = 2, length = head[1] & 0x7F;
        if (length == 126) header = 4;
        if (length == 127) header = 10;
        if (viewer->used - place < header) break;
        if (length == 126) length = (size_t)head[2] << 8 | head[3];
        if (header == 10) {
            length = 0;
            for (int i = 2; i < 10; i++) length = length << 8 | head[i];
        }
        if (header + length > BUFFER) {
            errno = EMSGSIZE;
            fail("frame");
        }
        if (viewer->used - place < header + length) break;
        char *payload = viewer->bytes + place + header;
        int opcode = head[0] & 0x0F;
        if (opcode == 9) pong(viewer, payload, length);
        if (opcode == 8) closed++;
        if (opcode == 1) {
            char kept = payload[length];
            payload[length] = 0;
            if (memmem(payload, length < 64 ? length : 64, "\"lagged\"", 8) != NULL) lagged++;
            else if (memmem(payload, length < 64 ? length : 64, "\"log_update\"", 12) != NULL)
                take_lines(viewer, payload, payload + length, at);
            payload[length] = kept;
        }
        place += header + length;
    }
    return place;
}

static size_t take_plain(struct viewer *viewer, int64_t at) {
    char *last = memrchr(viewer->bytes, '\n', viewer->used);
    if (last == NULL) return 0;
    *last = 0;
    take_lines(viewer, viewer->bytes, last, at);
    return (size_t)(last - viewer->bytes) + 1;
}

static void readable(struct viewer *viewer) {
    ssize_t count = recv(viewer->socket, viewer->bytes + viewer->used, BUFFER - viewer->used, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    int64_t at = now();
    if (count <= 0) {
        closed++;
        close(viewer->socket);
        if (!viewer->done) done_count++;
        viewer->done = 1;
        return;
    }
    viewer->used += (size_t)count;
    size_t taken = is_plain ? take_plain(viewer, at) : take_frames(viewer, at);
    memmove(viewer->bytes, viewer->bytes + taken, viewer->used - taken);
    viewer->used -= taken;
    if (!viewer->done && viewer->seen >= lines_count) {
        viewer->done = 1;
        done_count++;
    }
}

static void open_viewer(struct viewer *viewer, char **arguments) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[2]))};
    inet_pton(AF_INET, arguments[1], &address.sin_addr);
    viewer->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(viewer->socket, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
    int one = 1;
    setsockopt(viewer->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    viewer->bytes = malloc(BUFFER + 1);
    if (is_plain) return;
    char request[2048];
    int length = snprintf(
        request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: %s:%s\r\nAuthorization: Bearer %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        arguments[3], arguments[1], arguments[2], arguments[4]);
    if (send(viewer->socket, request, (size_t)length, 0) != length) fail("send");
    char *end = NULL;
    while (end == NULL) {
        ssize_t count = recv(viewer->socket, viewer->bytes + viewer->used, BUFFER - viewer->used, 0);
        if (count <= 0) fail("upgrade");
        viewer->used += (size_t)count;
        viewer->bytes[viewer->used] = 0;
        end = strstr(viewer->bytes, "\r\n\r\n");
    }
    if (strncmp(viewer->bytes, "HTTP/1.1 101", 12) != 0) {
        fprintf(stderr, "viewers: refused: %.80s\n", viewer->bytes);
        exit(1);
    }
    size_t head = (size_t)(end + 4 - viewer->bytes);
    memmove(viewer->bytes, viewer->bytes + head, viewer->used - head);
    viewer->used -= head;
}

static int compare(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

int main(int count, char **arguments) {
    if (count != 8) return 2;
    is_plain = strcmp(arguments[3], "-") == 0;
    viewers_count = atol(arguments[5]);
    lines_count = atol(arguments[6]);
    double seconds = atof(arguments[7]);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    delays = malloc(sizeof *delays * (size_t)viewers_count * (size_t)lines_count);
    struct viewer *viewers = calloc((size_t)viewers_count, sizeof *viewers);
    int poll = epoll_create1(EPOLL_CLOEXEC);
    for (long i = 0; i < viewers_count; i++) {
        open_viewer(&viewers[i], arguments);
        fcntl(viewers[i].socket, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &viewers[i]};
        epoll_ctl(poll, EPOLL_CTL_ADD, viewers[i].socket, &event);
    }
    printf("ready\n");
    fflush(stdout);
    int64_t deadline = now() + (int64_t)(seconds * 1e9);
    while (done_count < viewers_count && now() < deadline) {
        struct epoll_event events[256];
        int ready = epoll_wait(poll, events, 256, 100);
        for (int i = 0; i < ready; i++) readable(events[i].data.ptr);
    }
    long seen = 0;
    for (long i = 0; i < viewers_count; i++) seen += viewers[i].seen;
    qsort(delays, delays_count, sizeof *delays, compare);
    double p50 = delays_count ? delays[delays_count / 2] / 1000.0 : -1;
    double p99 = delays_count ? delays[delays_count * 99 / 100] / 1000.0 : -1;
    double worst = delays_count ? delays[delays_count - 1] / 1000.0 : -1;
    printf(
        "{\"viewers\":%ld,\"lines\":%ld,\"seen\":%ld,\"out_of_order\":%ld,\"lagged\":%ld,\"closed\":%ld,\"p50_ms\":%.3f,"
        "\"p99_ms\":%.3f,\"max_ms\":%.3f}\n",
        viewers_count, lines_count, seen, wrong, lagged, closed, p50, p99, worst);
    return 0;
}
