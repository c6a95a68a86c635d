#include "billingd/net/http_page.h"

#include <stdlib.h>

static int write_metrics(const struct http_answer *answer, const struct http_page_source *source,
                         struct request *request, struct io_buffer *out)
{
    struct metrics_text text = {0};
    source->metrics_cb(&text, source->arg);
    int rc = text.failed ? STATUS_NO_MEMORY
                         : http_answer_write_metrics(answer, request,
                                                     (struct slice){text.data, text.length}, out);
    free(text.data);
    return rc;
}

int http_page_write(const struct http_answer *answer, const struct http_page_source *source,
                    struct request *request, struct io_buffer *out)
{
    switch (request->page) {
    case REQUEST_OPENAPI:
        return http_answer_write_openapi(answer, request, out);
    case REQUEST_METRICS:
        return write_metrics(answer, source, request, out);
    case REQUEST_OPTIONS:
        return http_answer_write_options(answer, request, out);
    case REQUEST_NO_PAGE:
    case REQUEST__PAGES:
        break;
    }
    return STATUS_INTERNAL;
}
