# Run as a script: OUTPUT, a C file, defines NAME() of HEADER, which returns the bytes of INPUT.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${OUTPUT} "#include \"${HEADER}\"

static const unsigned char bytes[] = {
${bytes}};

struct slice ${NAME}(void)
{
    return (struct slice){(const char *)bytes, sizeof bytes};
}
")
