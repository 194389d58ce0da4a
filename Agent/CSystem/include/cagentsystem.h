#ifndef ANSFLOW_CAGENTSYSTEM_H
#define ANSFLOW_CAGENTSYSTEM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The few calls of Linux that Swift can't make by itself. Unless said otherwise a function returns 0 or a descriptor, and
// -errno where it fails. Every descriptor made here is close-on-exec.

// MARK: Process

/// Goes on in a child of a new session. The calling process waits until the child has written one byte to `*ready`, and exits
/// with that byte as its code, or with 1 when the child dies before. Only for a process with a single thread.
int ansflow_daemonize(int *ready);

/// From now on descendants whose parent dies become this process's children.
int ansflow_become_subreaper(void);

/// Closes every descriptor from `first` on.
int ansflow_close_from(int first);

/// Ignores SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGQUIT and SIGXFSZ in this process.
void ansflow_ignore_signals(void);

/// Blocks SIGCHLD and returns a non-blocking descriptor that becomes readable when a child has ended.
int ansflow_child_signal_fd(void);

/// Empties a descriptor of `ansflow_child_signal_fd`.
void ansflow_child_signal_drain(int fd);

// MARK: Time and host

/// Milliseconds since the host's boot, sleep included (CLOCK_BOOTTIME).
uint64_t ansflow_boottime_ms(void);

/// Writes the 36 characters of this boot's random id and a zero byte.
int ansflow_boot_id(char out[37]);

/// A timer on CLOCK_BOOTTIME; its descriptor becomes readable when it is due.
int ansflow_timer_fd(void);

/// Sets the timer to the moment `due_ms` of `ansflow_boottime_ms`, or clears it with 0. What was due before is forgotten.
int ansflow_timer_set(int fd, uint64_t due_ms);

// MARK: Parked child

/// A child that waits to be told what to execute.
struct ansflow_parked {
    /// Its process id, also its session's and process group's.
    pid_t pid;
    /// Whether it was born inside the cgroup.
    int in_cgroup;
    /// Where to write what it shall execute. When this is closed before that, the child exits.
    int blob;
    /// Where it says what failed: 8 bytes, stage and errno, or nothing and end of file once the program runs.
    int status;
    /// Its standard output and standard error.
    int output;
};

/// Stages of a start; the numbers are part of the exit record.
enum {
    ANSFLOW_STAGE_RELEASE = 1,
    ANSFLOW_STAGE_SESSION = 2,
    ANSFLOW_STAGE_DESCRIPTORS = 3,
    ANSFLOW_STAGE_DIRECTORY = 4,
    ANSFLOW_STAGE_PROGRAM = 5,
};

/// Makes a child that holds nothing of this process but its three pipes, in its own session, with /dev/null as standard
/// input, and parks it. It is born inside the cgroup `cgroup_fd` (an open directory) by clone3; where that fails, or with
/// -1, by plain fork, and `in_cgroup` is 0. Only for a process with a single thread.
///
/// The child waits for a blob: three numbers of 32 bits in the host's order (bytes behind them, arguments, variables), then
/// texts that each end in a zero byte: the working directory, the arguments, the variables. It then sets all signals to
/// their defaults, changes its directory and executes the first argument, searched in the PATH of its own variables when it
/// holds no slash.
int ansflow_park_child(int cgroup_fd, struct ansflow_parked *out);

// MARK: Children

/// One ended child.
struct ansflow_reaped {
    pid_t pid;
    /// 0: `value` is an exit code. 1: it is a signal.
    int signalled;
    int value;
    uint64_t user_us;
    uint64_t system_us;
    uint64_t memory_peak_bytes;
};

/// Collects one ended child. Returns 1 with `out` filled, 0 where children live and none has ended, -ECHILD without any child.
int ansflow_reap(struct ansflow_reaped *out);

/// Sends `signal` to each direct child. Safe against reused ids, since a child's id is free only after this process reaped it.
/// Call it again, with `ansflow_reap` between, until there is no child: what was a grandchild is then a child.
/// Returns how many there were.
int ansflow_signal_children(int signal);

// MARK: Files and sockets

/// Opens `path` (made with mode 0600) and takes an exclusive flock on it. -EWOULDBLOCK where another holds it.
int ansflow_lock(const char *path);

/// Whether a process holds a flock on `path`: 1, 0, or -errno (-ENOENT where there is no such file).
int ansflow_lock_is_held(const char *path);

/// Listens on a Unix socket `name` of mode 0600 in the open directory `dirfd`, replacing what is there. The path of the
/// directory may be longer than the 108 bytes of a socket's address. The result is non-blocking.
int ansflow_unix_listen(int dirfd, const char *name);

/// Connects to the Unix socket `name` in the directory `dir`, of any length. The result is blocking.
int ansflow_unix_connect(const char *dir, const char *name);

/// Accepts a connection; non-blocking. -EAGAIN where none waits.
int ansflow_accept(int fd);

/// Appends `head` and `body` with as few calls as it takes.
/// Returns the bytes written, which are fewer than asked for when `*error` is not 0.
ssize_t ansflow_write_pair(
    int fd, const void *head, size_t head_length, const void *body, size_t body_length, int *error);

#endif
