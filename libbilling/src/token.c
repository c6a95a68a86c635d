#include "libbilling/src/token.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum {
    TOKEN_BYTES_MAX = 4096,
    FILE_BYTES_MAX = TOKEN_BYTES_MAX + 1, /* and a newline */
};

bool token_is_good(const char *text)
{
    size_t length = 0;
    for (; text[length] != '\0'; length++) {
        if (length == TOKEN_BYTES_MAX || text[length] <= ' ' || text[length] > '~') {
            return false;
        }
    }
    return length > 0;
}

void token_free(char *token)
{
    if (token != NULL) {
        explicit_bzero(token, strlen(token));
        free(token);
    }
}

/* --- files ------------------------------------------------------------------------------------ */

/* Whether more than the owner may read it.  What a service manager hands to a service can belong to
 * root and its group, with an access list that lets in the service alone and shows as the group's
 * permission; root's group does not count there, unless we are root. */
static bool is_exposed(const struct stat *info)
{
    bool is_roots = info->st_uid == 0 && info->st_gid == 0 && geteuid() != 0;
    return (info->st_mode & (is_roots ? S_IRWXO : S_IRWXO | S_IRWXG)) != 0;
}

static bool check_file(int fd, const char *path, struct failure *reterr)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        failure_set_system(reterr, FAULT_TOKEN_FILE, path, errno);
    } else if (!S_ISREG(info.st_mode)) {
        failure_set(reterr, FAULT_TOKEN_FILE, "%s: is not a regular file", path);
    } else if (is_exposed(&info)) {
        failure_set(reterr, FAULT_TOKEN_FILE,
                    "%s: has the mode %04o, so that others than its owner may use it; run: "
                    "chmod go= %s",
                    path, (unsigned)(info.st_mode & 07777), path);
    } else {
        return true;
    }
    return false;
}

/* Up to SIZE bytes of FD into BUFFER.  Returns how many, or -1 with errno. */
static ssize_t read_some(int fd, char *buffer, size_t size)
{
    size_t length = 0;
    while (length < size) {
        ssize_t n = read(fd, buffer + length, size - length);
        if (n < 0 && errno != EINTR) {
            return -1;
        }
        if (n == 0) {
            break;
        }
        length += n > 0 ? (size_t)n : 0;
    }
    return (ssize_t)length;
}

/* A copy of the LENGTH bytes at CONTENTS, which are followed by room for a NUL. */
static char *take_contents(char *contents, size_t length, const char *path, struct failure *reterr)
{
    if (length > 0 && length <= FILE_BYTES_MAX && contents[length - 1] == '\n') {
        length--;
    }
    contents[length] = '\0';
    if (length == 0) {
        failure_set(reterr, FAULT_TOKEN_FILE, "%s: is empty", path);
    } else if (length > TOKEN_BYTES_MAX) {
        failure_set(reterr, FAULT_TOKEN_FILE, "%s: is longer than a token of %d bytes", path,
                    TOKEN_BYTES_MAX);
    } else if (contents[length - 1] == '\r') {
        failure_set(
            reterr, FAULT_TOKEN_FILE,
            "%s: ends in a carriage return (0x0d), as Windows ends lines; a token is printable "
            "ASCII (0x21 to 0x7e), and behind it may be one newline (0x0a)",
            path);
    } else if (strlen(contents) != length || !token_is_good(contents)) {
        failure_set(reterr, FAULT_TOKEN_FILE,
                    "%s: holds something else than one token of printable ASCII", path);
    } else {
        char *token = malloc(length + 1);
        if (token == NULL) {
            failure_set(reterr, FAULT_NO_MEMORY, "for the token");
            return NULL;
        }
        memcpy(token, contents, length + 1);
        return token;
    }
    return NULL;
}

char *token_read(const char *path, struct failure *reterr)
{
    char contents[FILE_BYTES_MAX + 2]; /* one byte too many shows that there are, and a NUL */
    char *token = NULL;
    /* Not to wait for the other end of a pipe that is no token file either. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        failure_set_system(reterr, FAULT_TOKEN_FILE, path, errno);
        return NULL;
    }
    if (check_file(fd, path, reterr)) {
        ssize_t length = read_some(fd, contents, sizeof contents - 1);
        if (length < 0) {
            failure_set_system(reterr, FAULT_TOKEN_FILE, path, errno);
        } else {
            token = take_contents(contents, (size_t)length, path, reterr);
        }
    }
    close(fd);
    explicit_bzero(contents, sizeof contents);
    return token;
}
