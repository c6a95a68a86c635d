/* The main() of a fuzz target where there is no fuzzer: run it over files, and over all files of
 * directories.  Each is named before it runs, so that the last name is the one that failed. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

static unsigned replayed;

static bool replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t length = 0;
    FILE *copy = open_memstream(&text, &length);
    if (file == NULL || copy == NULL) {
        perror(path);
        exit(2);
    }
    for (int byte = getc(file); byte != EOF; byte = getc(file)) {
        FUZZ_CHECK(putc(byte, copy) != EOF);
    }
    bool read = ferror(file) == 0 && fclose(copy) == 0;
    printf("%s\n", path);
    if (read) {
        char *exact = fuzz_copy((struct slice){text, length});
        LLVMFuzzerTestOneInput((const uint8_t *)exact, length);
        free(exact);
        replayed++;
    }
    free(text);
    return fclose(file) == 0 && read;
}

static bool replay(const char *path);

static bool replay_directory(const char *path)
{
    struct dirent **entries;
    bool good = true;
    int n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char *inner = NULL;
        if (entries[i]->d_name[0] != '.' &&
            asprintf(&inner, "%s/%s", path, entries[i]->d_name) > 0) {
            good = replay(inner) && good;
        }
        free(inner);
        free(entries[i]);
    }
    if (n >= 0) {
        free(entries);
    }
    return n >= 0 && good;
}

static bool replay(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        perror(path);
        return false;
    }
    return S_ISDIR(status.st_mode) ? replay_directory(path) : replay_file(path);
}

int main(int argc, char **argv)
{
    bool good = setvbuf(stdout, NULL, _IOLBF, 0) == 0;
    for (int i = 1; i < argc; i++) {
        good = replay(argv[i]) && good;
    }
    printf("%u inputs\n", replayed);
    return good && replayed > 0 ? 0 : 1;
}
