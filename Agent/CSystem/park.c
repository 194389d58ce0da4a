#define _GNU_SOURCE
#include "cagentsystem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Descriptors of the parked child.
#define BLOB_FD 3
#define STATUS_FD 4

#define CLONE_INTO_CGROUP_FLAG 0x200000000ULL

// The kernel's struct clone_args with the fields up to the cgroup (88 bytes).
struct clone_arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

struct blob_head {
    uint32_t bytes, arguments, variables;
};

__attribute__((noreturn)) static void fail(uint32_t stage, int error) {
    uint32_t report[2] = {stage, (uint32_t)error};
    ssize_t ignored = write(STATUS_FD, report, sizeof report);
    (void)ignored;
    _exit(127);
}

static int read_all(int fd, void *into, size_t length) {
    uint8_t *at = into;
    while (length > 0) {
        ssize_t count = read(fd, at, length);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return -1;
        }
        at += count;
        length -= (size_t)count;
    }
    return 0;
}

static void reset_signals(void) {
    // By the kernel's own call, since the library's refuses the two signals that it keeps for itself, which a spawner may have
    // left ignored. All zeros is the default action, whatever the processor's layout.
    const uint64_t by_default[8] = {0};
    for (int number = 1; number < NSIG; number++) {
        syscall(SYS_rt_sigaction, number, by_default, NULL, (size_t)(NSIG - 1) / 8);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

// Executes `arguments[0]`; returns the errno that says most, as execvp does.
static int execute(char **arguments, char **variables) {
    const char *program = arguments[0];
    if (strchr(program, '/')) {
        execve(program, arguments, variables);
        return errno;
    }
    const char *path = "/usr/local/bin:/usr/bin:/bin";
    for (char **variable = variables; *variable; variable++) {
        if (strncmp(*variable, "PATH=", 5) == 0) {
            path = *variable + 5;
        }
    }
    size_t length = strlen(program);
    char *candidate = malloc(strlen(path) + length + 3);
    if (!candidate) {
        return ENOMEM;
    }
    int error = ENOENT;
    if (length == 0) {
        return error;
    }
    for (const char *part = path;;) {
        const char *end = strchrnul(part, ':');
        size_t size = (size_t)(end - part);
        memcpy(candidate, part, size);
        if (size == 0) {
            candidate[size++] = '.';
        }
        candidate[size] = '/';
        memcpy(candidate + size + 1, program, length + 1);
        execve(candidate, arguments, variables);
        if (errno == EACCES) {
            error = EACCES;
        } else if (errno != ENOENT && errno != ENOTDIR) {
            return errno;
        }
        if (!*end) {
            return error;
        }
        part = end + 1;
    }
}

// Texts that each end in a zero byte, made into a list; `*at` moves behind them.
static char **list(char **at, const char *end, uint32_t count) {
    char **pointers = calloc((size_t)count + 1, sizeof *pointers);
    if (!pointers) {
        fail(ANSFLOW_STAGE_RELEASE, ENOMEM);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (*at >= end) {
            fail(ANSFLOW_STAGE_RELEASE, EBADMSG);
        }
        pointers[i] = *at;
        *at += strlen(*at) + 1;
    }
    return pointers;
}

__attribute__((noreturn)) static void parked(int blob, int status, int output) {
    // Everything else of the shim, its lock and its listening socket above all, is let go before anything is waited for.
    int moved[3] = {fcntl(blob, F_DUPFD, 16), fcntl(status, F_DUPFD, 16), fcntl(output, F_DUPFD, 16)};
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0 || dup2(moved[2], 1) < 0 || dup2(moved[2], 2) < 0 ||
        dup2(moved[0], BLOB_FD) < 0 || dup2(moved[1], STATUS_FD) < 0) {
        _exit(127);
    }
    ansflow_close_from(STATUS_FD + 1);
    prctl(PR_SET_NAME, "ansflow-parked", 0UL, 0UL, 0UL);
    if (setsid() < 0) {
        fail(ANSFLOW_STAGE_SESSION, errno);
    }
    struct blob_head head;
    if (read_all(BLOB_FD, &head, sizeof head) < 0) {
        _exit(0);
    }
    char *texts = malloc((size_t)head.bytes + 1);
    if (!texts || read_all(BLOB_FD, texts, head.bytes) < 0) {
        fail(ANSFLOW_STAGE_RELEASE, texts ? EBADMSG : ENOMEM);
    }
    texts[head.bytes] = 0;
    char *at = texts;
    const char *end = texts + head.bytes;
    char **directory = list(&at, end, 1);
    char **arguments = list(&at, end, head.arguments);
    char **variables = list(&at, end, head.variables);
    reset_signals();
    close(BLOB_FD);
    if (fcntl(STATUS_FD, F_SETFD, FD_CLOEXEC) < 0) {
        fail(ANSFLOW_STAGE_DESCRIPTORS, errno);
    }
    if (chdir(directory[0]) < 0) {
        fail(ANSFLOW_STAGE_DIRECTORY, errno);
    }
    fail(ANSFLOW_STAGE_PROGRAM, arguments[0] ? execute(arguments, variables) : EINVAL);
}

static pid_t clone_into(int cgroup_fd) {
    struct clone_arguments arguments = {
        .flags = CLONE_INTO_CGROUP_FLAG, .exit_signal = SIGCHLD, .cgroup = (uint64_t)cgroup_fd};
    return (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
}

static void close_pair(int pair[2]) {
    close(pair[0]);
    close(pair[1]);
}

int ansflow_park_child(int cgroup_fd, struct ansflow_parked *out) {
    int blob[2], status[2], output[2];
    if (pipe2(blob, O_CLOEXEC) < 0) {
        return -errno;
    }
    if (pipe2(status, O_CLOEXEC) < 0) {
        int error = errno;
        close_pair(blob);
        return -error;
    }
    if (pipe2(output, O_CLOEXEC) < 0) {
        int error = errno;
        close_pair(blob);
        close_pair(status);
        return -error;
    }
    out->in_cgroup = 0;
    pid_t pid = -1;
    if (cgroup_fd >= 0) {
        pid = clone_into(cgroup_fd);
        out->in_cgroup = pid > 0;
    }
    if (pid < 0) {
        pid = fork();
    }
    if (pid == 0) {
        parked(blob[0], status[1], output[1]);
    }
    int error = errno;
    close(blob[0]);
    close(status[1]);
    close(output[1]);
    if (pid < 0) {
        close(blob[1]);
        close(status[0]);
        close(output[0]);
        return -error;
    }
    // A larger pipe saves wake-ups under a flood; where the host refuses, the default does.
    fcntl(output[0], F_SETPIPE_SZ, 256 * 1024);
    fcntl(output[0], F_SETFL, O_NONBLOCK);
    fcntl(status[0], F_SETFL, O_NONBLOCK);
    out->pid = pid;
    out->blob = blob[1];
    out->status = status[0];
    out->output = output[0];
    return 0;
}
