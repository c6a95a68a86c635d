#include "tests/lib/child.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/testkit.h"

__attribute__((noreturn)) static void be_child(void (*fn)(void *arg), void *arg)
{
    const struct rlimit no_core = {0};
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0 || dup2(nowhere, STDERR_FILENO) < 0 || setrlimit(RLIMIT_CORE, &no_core) < 0) {
        _exit(99);
    }
    fn(arg);
    _exit(0); /* not exit(): what the parent registered is the parent's */
}

int child_run(void (*fn)(void *arg), void *arg)
{
    int status;
    pid_t child = fork();
    if (child < 0) {
        testkit_fail("cannot fork: %s", strerror(errno));
    }
    if (child == 0) {
        be_child(fn, arg);
    }
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            testkit_fail("cannot wait for the child: %s", strerror(errno));
        }
    }
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}
