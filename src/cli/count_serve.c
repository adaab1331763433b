/* One thread of libmicrohttpd answers; each answer is a fresh survey. Programs notice nothing of it. */
#include "cli/count_serve.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/exit_codes.h"
#include "report/count.h"

#define OPEN_METRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"

struct server {
    hst_count_source *source;
    const void *context;
};

struct place {
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } address;
    char host[INET6_ADDRSTRLEN + 2];
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned code, const char *type,
                              const void *text, size_t length)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned code, const char *text)
{
    return answer(connection, code, "text/plain; charset=utf-8", text, strlen(text));
}

static enum MHD_Result answer_survey(struct MHD_Connection *connection, const struct server *server, int json)
{
    struct hst_survey survey;
    struct hst_buffer text;
    struct hst_error err = {0};
    const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
    int open_metrics = accept != NULL && strstr(accept, "application/openmetrics-text") != NULL;
    hst_survey_init(&survey);
    hst_buffer_init(&text, 0);
    enum hst_status status = server->source(server->context, &survey, &err);
    if (status == HST_OK)
        status = json ? hst_count_json(&survey, &text) : hst_count_metrics(&survey, open_metrics, &text);
    const char *type = json ? "application/json" : open_metrics ? OPEN_METRICS : PROMETHEUS;
    enum MHD_Result result = status == HST_OK ? answer(connection, MHD_HTTP_OK, type, text.data, text.length)
                                              : answer_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
                                                            "cannot read the counters\n");
    hst_buffer_release(&text);
    hst_survey_release(&survey);
    return result;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_bytes, void **state)
{
    static int seen;
    (void)version, (void)data;
    if (*state == NULL) { /* the head alone: what follows it is not wanted, but has to be taken */
        *state = &seen;
        return MHD_YES;
    }
    if (*data_bytes != 0) {
        *data_bytes = 0;
        return MHD_YES;
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET\n");
    if (strcmp(url, "/metrics") == 0)
        return answer_survey(connection, context, 0);
    if (strcmp(url, "/json") == 0)
        return answer_survey(connection, context, 1);
    if (strcmp(url, "/") == 0)
        return answer_text(connection, MHD_HTTP_OK,
                           "hasten count: /metrics for Prometheus, /json for programs\n");
    return answer_text(connection, MHD_HTTP_NOT_FOUND, "/metrics or /json\n");
}

/* [ADDRESS:]PORT; an address of IPv6 may stand in brackets. */
static int parse_place(const char *where, struct place *place)
{
    const char *colon = strrchr(where, ':'), *port_text = colon != NULL ? colon + 1 : where;
    char host[INET6_ADDRSTRLEN + 2] = "127.0.0.1", *end;
    unsigned long port = strtoul(port_text, &end, 10);
    if (port_text[0] < '0' || port_text[0] > '9' || *end != '\0' || port > 65535)
        return 0;
    if (colon != NULL) {
        size_t length = (size_t)(colon - where);
        int brackets = length >= 2 && where[0] == '[' && colon[-1] == ']';
        length -= brackets ? 2 : 0;
        if (length == 0 || length >= sizeof host)
            return 0;
        memcpy(host, where + brackets, length);
        host[length] = '\0';
    }
    *place = (struct place){0};
    if (inet_pton(AF_INET, host, &place->address.four.sin_addr) == 1) {
        place->address.four.sin_family = AF_INET;
        place->address.four.sin_port = htons((uint16_t)port);
        (void)snprintf(place->host, sizeof place->host, "%.46s", host);
        return 1;
    }
    if (inet_pton(AF_INET6, host, &place->address.six.sin6_addr) != 1)
        return 0;
    place->address.six.sin6_family = AF_INET6;
    place->address.six.sin6_port = htons((uint16_t)port);
    (void)snprintf(place->host, sizeof place->host, "[%.45s]", host);
    return 1;
}

int hst_count_serve(struct hst_cli *cli, const char *where, hst_count_source *source, const void *context)
{
    struct server server = {.source = source, .context = context};
    struct place place;
    sigset_t ends;
    int signal_number;
    if (!parse_place(where, &place))
        return hst_message_usage(cli, "count", "hasten count --serve 127.0.0.1:9109",
                                 "--serve: '%s' is not an address (numbers only) and a port, nor a port",
                                 where);
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGINT);
    (void)sigaddset(&ends, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &ends, NULL); /* in the server's thread too */
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO |
                     (place.address.any.sa_family == AF_INET6 ? MHD_USE_IPv6 : 0u);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, &server, MHD_OPTION_SOCK_ADDR, &place.address.any,
        MHD_OPTION_CONNECTION_LIMIT, 64u, MHD_OPTION_CONNECTION_TIMEOUT, 15u, MHD_OPTION_END);
    if (daemon == NULL) {
        hst_message(cli, "another port; 0 takes any that is free", "cannot serve at %s: is it taken?", where);
        return HST_EXIT_FAILURE;
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    (void)fprintf(cli->out, "serving http://%s:%u/metrics until Ctrl-C\n", place.host,
                  info != NULL ? info->port : 0u);
    (void)fflush(cli->out);
    (void)sigwait(&ends, &signal_number);
    MHD_stop_daemon(daemon);
    return HST_EXIT_OK;
}
