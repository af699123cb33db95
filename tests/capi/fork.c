/*
 * A data directory whose lock is held while the process forks, and a child that lives on. The first argument is the
 * directory. The two take turns over a pair of pipes, so that nothing here depends on time.
 */
#define _POSIX_C_SOURCE 200809L
#include <pulse_trust.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int to_child[2], to_parent[2];

static void check(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "process %ld: %s\n", (long)getpid(), what);
        exit(1);
    }
}

static void tell(const int *pipe) {
    check(write(pipe[1], "", 1) == 1, "the other process is gone");
}

/* Ends, too, where the other process has ended. */
static void await_turn(const int *pipe) {
    char turn;
    check(read(pipe[0], &turn, 1) == 1, "the other process is gone");
}

static pulse_data_dir *opened(const char *path) {
    pulse_data_dir *directory = NULL;
    check(pulse_data_dir_open(path, strlen(path), &directory, NULL) == 0, "open");
    return directory;
}

/* Whether another handle gets the lock at once. */
static int is_free(const char *path) {
    pulse_data_dir *other = opened(path);
    pulse_status status = pulse_data_dir_lock(other, 0, NULL);
    check(status == 0 || status == PULSE_ERR_LOCK_TIMEOUT, "lock");
    pulse_data_dir_free(other);
    return status == 0;
}

/* An error of a copied handle, which says what to do. */
static void check_refused(pulse_status status, pulse_error *error, const char *what) {
    check(status == PULSE_ERR_FILE, what);
    check(strstr(pulse_error_message(error), "fork") != NULL, "the message does not name the fork");
    check(strstr(pulse_error_message(error), "unlock") != NULL, "the message does not say what to do");
    pulse_error_free(error);
}

static void child(pulse_data_dir *inherited, const char *path) {
    close(to_child[1]);
    close(to_parent[0]);
    pulse_error *error = NULL;
    pulse_buffer *out = NULL;
    pulse_status loaded = pulse_relay_config_load(inherited, &out, &error);
    check_refused(loaded, error, "a copied handle was read with");
    error = NULL;
    pulse_status locked = pulse_data_dir_lock(inherited, 0, &error);
    check_refused(locked, error, "a copied handle says that it is locked");
    check(pulse_data_dir_unlock(inherited, NULL) == 0, "unlock of the copied handle");
    check(!is_free(path), "the child has released the lock of its parent");
    check(pulse_data_dir_lock(inherited, 0, NULL) == PULSE_ERR_LOCK_TIMEOUT, "the child waits as anybody else");
    tell(to_parent);
    await_turn(to_child);
    check(pulse_data_dir_lock(inherited, 0, NULL) == 0, "the child takes a lock of its own");
    check(pulse_relay_config_load(inherited, &out, NULL) == 0, "a handle that the child has locked");
    pulse_buffer_free(out);
    check(pulse_data_dir_unlock(inherited, NULL) == 0, "unlock");
    tell(to_parent);
    await_turn(to_child);
    pulse_data_dir_free(inherited);
    exit(0);
}

/* A child that inherits a locked handle, never touches it, and lives until the pipe is closed. */
static pid_t idle_child(const int *until_closed) {
    pid_t pid = fork();
    check(pid >= 0, "fork");
    if (pid == 0) {
        char turn;
        close(until_closed[1]);
        (void)!read(until_closed[0], &turn, 1);
        _exit(0);
    }
    return pid;
}

static void check_ended_well(pid_t pid, const char *what) {
    int status = 0;
    check(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0, what);
}

int main(int count, char **arguments) {
    check(count == 2, "expected a directory");
    check(pipe(to_child) == 0 && pipe(to_parent) == 0, "pipe");
    const char *path = arguments[1];
    pulse_data_dir *directory = opened(path);
    check(pulse_data_dir_lock(directory, 0, NULL) == 0, "lock");
    const pid_t pid = fork();
    check(pid >= 0, "fork");
    if (pid == 0) {
        child(directory, path);
    }
    close(to_child[0]);
    close(to_parent[1]);
    await_turn(to_parent);
    check(!is_free(path), "the lock is gone before its holder unlocked it");
    check(pulse_data_dir_unlock(directory, NULL) == 0, "unlock");
    check(is_free(path), "the child keeps the lock that its parent has released");
    tell(to_child);
    await_turn(to_parent);

    /* A handle that is freed releases its lock too. */
    check(pulse_data_dir_lock(directory, 0, NULL) == 0, "lock again");
    int until_closed[2];
    check(pipe(until_closed) == 0, "pipe");
    pid_t idle = idle_child(until_closed);
    pulse_data_dir_free(directory);
    check(is_free(path), "the child keeps the lock of the handle that its parent has freed");
    close(until_closed[1]);
    check_ended_well(idle, "the idle child failed");
    tell(to_child);
    check_ended_well(pid, "the child failed");
    return 0;
}
