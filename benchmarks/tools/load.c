// A client that measures a proxy and verifies every byte it relays. One thread, epoll,
// HTTP/1.1 keep-alive, a closed loop: each connection sends its next request when the
// answer to the last one is complete.
//
//   load -p PORT [options]
//     -a ADDRESS   IPv4 address                        -h PATH     request path
//     -m MODEL     what mock.c is asked for            -k KIND     json, sse, es, messages
//     -c N         connections                         -R N        new connections a second
//     -t S, -w S   seconds measured, of warm-up        -n N        events each stream has
//     -H 'A: b'    a header field (repeatable)         -B FILE     the request's body
//     -P PID,PID   processes whose time is counted     -L          events may be rewritten
//     -1           one request a connection, then idle -C          a connection a request
//
// KIND messages expects Anthropic's events, made by the proxy from OpenAI's. With -L
// events are checked by number only, not by the hash of their bytes. Prints one JSON
// object; latencies in µs, from the events' own time stamps where they have one.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "figures.h"
#include "wire.h"

typedef unsigned long long ull;

enum kind { JSON, OPENAI, FRAMES, MESSAGES };
enum state { CONNECTING, HEAD, BODY, RESTING };
enum chunk_part { SIZE, SIZE_REST, DATA, DATA_END, TRAILER };

typedef struct conn {
    int fd;
    enum state state;
    char *head;
    int head_len, head_cap;
    char *events; // body bytes that are not yet a whole event
    int events_len, events_cap;
    int chunked, until_close, keep, measured, sent, terminated, seen;
    enum chunk_part part;
    int line_len;
    int64_t left; // body bytes to come: of the chunk, or of all
    uint64_t began, first, last, hash;
    uint32_t next;
} conn;

static int poller, port, rewritten, once, close_each, expected;
static enum kind kind = OPENAI;
static struct sockaddr_in address;
static char *request;
static int request_len;

static int measuring, open_now, open_most;
static latencies to_head, to_first, first_event, per_event, between, whole;
static struct {
    ull requests, complete, events, bytes, broken, corrupt, refused, unconnected;
} counts;
static char first_problem[400];

static void problem(const char *text) {
    if (!first_problem[0])
        snprintf(first_problem, sizeof first_problem, "%s", text);
}

static void corrupt(const char *text) {
    counts.corrupt++;
    problem(text);
}

// --- connections ----------------------------------------------------------------------

static void watch(conn *c, int operation, uint32_t wanted) {
    struct epoll_event event = {.events = wanted, .data.ptr = c};
    epoll_ctl(poller, operation, c->fd, &event);
}

static void open_conn(conn *c) {
    static const int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) {
        perror("load: socket");
        exit(1);
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->state = CONNECTING;
    if (connect(c->fd, (void *)&address, sizeof address) < 0 && errno != EINPROGRESS)
        counts.unconnected++;
    watch(c, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

static void reopen(conn *c) {
    close(c->fd);
    open_conn(c);
}

static void broken(conn *c, const char *text) {
    counts.broken++;
    problem(text);
    open_now--;
    reopen(c);
}

static void send_rest(conn *c) {
    while (c->sent < request_len) {
        ssize_t sent =
            send(c->fd, request + c->sent, request_len - c->sent, MSG_NOSIGNAL);
        if (sent > 0) {
            c->sent += sent;
        } else if (sent < 0 && errno == EAGAIN) {
            watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            return;
        } else {
            broken(c, "the connection broke while the request was sent");
            return;
        }
    }
}

static void begin_request(conn *c) {
    c->state = HEAD;
    c->head_len = c->events_len = 0;
    c->chunked = c->until_close = c->sent = c->terminated = c->seen = 0;
    c->keep = 1;
    c->left = -1;
    c->first = c->last = c->hash = 0;
    c->next = 0;
    c->measured = measuring;
    c->began = now_ns();
    if (measuring)
        counts.requests++;
    if (++open_now > open_most)
        open_most = open_now;
    send_rest(c);
}

static void end_request(conn *c, int ok) {
    open_now--;
    if (c->measured && measuring) {
        keep_latency(&whole, now_ns() - c->began);
        if (ok)
            counts.complete++;
    }
    if (once) {
        c->state = RESTING;
        watch(c, EPOLL_CTL_DEL, 0);
    } else if (!c->keep || close_each) {
        reopen(c);
    } else {
        begin_request(c);
    }
}

// --- events ---------------------------------------------------------------------------

// An event's text is "number time padding"; see mock.c.
static void note_event(conn *c, const char *at, const char *end, uint64_t now) {
    uint32_t number = 0;
    uint64_t made = 0;
    while (at < end && *at >= '0' && *at <= '9')
        number = number * 10 + (uint32_t)(*at++ - '0');
    if (at < end && *at == ' ')
        at++;
    while (at < end && *at >= '0' && *at <= '9')
        made = made * 10 + (uint64_t)(*at++ - '0');
    if (number != c->next) {
        corrupt("an event is missing, repeated or out of order");
        c->next = number;
    }
    c->next++;
    c->seen++;
    if (!c->first) {
        c->first = now;
        if (c->measured && measuring) {
            keep_latency(&to_first, now - c->began);
            keep_latency(&first_event, now - made);
        }
    } else if (measuring) {
        keep_latency(&between, now - c->last);
    }
    if (measuring) {
        counts.events++;
        keep_latency(&per_event, now - made);
    }
    c->last = now;
}

// The text of the string member with this quoted name, if it begins with a digit: what
// tells the mock's events from all others.
static char *numbered_text(char *event, int count, const char *quoted_name) {
    char *at = memmem(event, count, quoted_name, strlen(quoted_name));
    if (!at)
        return NULL;
    at += strlen(quoted_name);
    while (*at == ' ' || *at == ':')
        at++;
    return *at == '"' && at[1] >= '0' && at[1] <= '9' ? at + 1 : NULL;
}

static void take_openai_event(conn *c, char *event, int count, uint64_t now) {
    if (c->terminated) {
        corrupt("data after [DONE]");
        return;
    }
    if (count >= 12 && !memcmp(event, "data: [DONE]", 12)) {
        c->terminated = 1;
        return;
    }
    char *text = numbered_text(event, count, "\"content\"");
    if (text) {
        if (!rewritten)
            c->hash = hash_event(c->hash, event, count);
        note_event(c, text, event + count, now);
        return;
    }
    if (rewritten)
        return;
    char *fingerprint = memmem(event, count, "\"fp_", 4);
    if (!fingerprint) {
        char text[200];
        snprintf(text, sizeof text, "an event of no known form: %.*s",
                 count > 120 ? 120 : count, event);
        corrupt(text);
    } else if (strtoull(fingerprint + 4, NULL, 16) != c->hash) {
        corrupt("the hash of the events differs");
    }
}

static void take_anthropic_event(conn *c, char *event, int count, uint64_t now) {
    char *text = numbered_text(event, count, "\"text\"");
    if (c->terminated)
        corrupt("data after message_stop");
    else if (text)
        note_event(c, text, event + count, now);
    else if (memmem(event, count, "message_stop", 12))
        c->terminated = 1;
}

static void take_sse(conn *c, uint64_t now) {
    char *at = c->events, *end = at + c->events_len;
    for (;;) {
        int mark = 2;
        char *stop = memmem(at, end - at, "\n\n", 2);
        if (rewritten && !stop) {
            mark = 4;
            stop = memmem(at, end - at, "\r\n\r\n", 4);
        }
        if (!stop)
            break;
        int count = stop - at + mark;
        if (kind == MESSAGES)
            take_anthropic_event(c, at, count, now);
        else
            take_openai_event(c, at, count, now);
        at += count;
    }
    c->events_len = end - at;
    memmove(c->events, at, c->events_len);
}

static uint32_t be32(const char *at) {
    const unsigned char *byte = (const void *)at;
    return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 |
           byte[3];
}

static void take_frames(conn *c, uint64_t now) {
    char *at = c->events, *end = at + c->events_len;
    while (end - at >= 12) {
        uint32_t total = be32(at);
        if (crc32_of((void *)at, 8) != be32(at + 8) || total < 16 || total > 1 << 20) {
            corrupt("a frame's prelude is damaged");
            c->events_len = 0;
            return;
        }
        if (end - at < total)
            break;
        if (crc32_of((void *)at, total - 4) != be32(at + total - 4))
            corrupt("a frame's CRC differs");
        char *text = numbered_text(at, total, "\"text\"");
        if (text)
            note_event(c, text, at + total, now);
        else if (memmem(at, total, "stopReason", 10))
            c->terminated = 1;
        at += total;
    }
    c->events_len = end - at;
    memmove(c->events, at, c->events_len);
}

// --- bodies ---------------------------------------------------------------------------

static void take_data(conn *c, const char *data, int count, uint64_t now) {
    if (measuring)
        counts.bytes += count;
    if (kind == JSON)
        return;
    if (c->events_len + count > c->events_cap) {
        c->events_cap = (c->events_len + count) * 2;
        c->events = realloc(c->events, c->events_cap + 1);
    }
    memcpy(c->events + c->events_len, data, count);
    c->events_len += count;
    c->events[c->events_len] = 0;
    if (kind == FRAMES)
        take_frames(c, now);
    else
        take_sse(c, now);
}

static int hex_digit(char digit) {
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 32;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

// Take chunked bytes; 1 when the body has ended.
static int take_chunked(conn *c, const char *at, int count, uint64_t now) {
    const char *end = at + count;
    while (at < end) {
        switch (c->part) {
        case SIZE:
        case SIZE_REST:
            if (*at == '\n') {
                c->part = c->left ? DATA : TRAILER;
                c->line_len = 0;
            } else if (c->part == SIZE) {
                int digit = hex_digit(*at);
                if (digit < 0)
                    c->part = SIZE_REST;
                else
                    c->left = c->left * 16 + digit;
            }
            at++;
            break;
        case DATA: {
            int part = end - at < c->left ? end - at : c->left;
            take_data(c, at, part, now);
            at += part;
            c->left -= part;
            if (!c->left)
                c->part = DATA_END;
            break;
        }
        case DATA_END:
            if (*at++ == '\n')
                c->part = SIZE;
            break;
        case TRAILER:
            if (*at == '\n') {
                if (!c->line_len)
                    return 1;
                c->line_len = 0;
            } else if (*at != '\r') {
                c->line_len++;
            }
            at++;
            break;
        }
    }
    return 0;
}

static int take_body(conn *c, const char *data, int count, uint64_t now) {
    if (c->chunked)
        return take_chunked(c, data, count, now);
    if (c->until_close) {
        take_data(c, data, count, now);
        return 0;
    }
    int part = count < c->left ? count : c->left;
    take_data(c, data, part, now);
    c->left -= part;
    return c->left == 0;
}

static void body_complete(conn *c) {
    int ok = 1;
    if (kind == JSON) {
        if (c->measured && measuring)
            keep_latency(&to_first, now_ns() - c->began);
    } else {
        if (!c->terminated) {
            ok = 0;
            corrupt("a stream ended without its terminal event");
        }
        if (expected && c->seen != expected) {
            char text[100];
            snprintf(text, sizeof text, "a stream had %d events", c->seen);
            ok = 0;
            corrupt(text);
        }
    }
    end_request(c, ok);
}

// Take the bytes of a head; 1 when the answer has ended with them.
static int take_head(conn *c, const char *data, int count, uint64_t now) {
    if (c->head_len + count > c->head_cap) {
        c->head_cap = (c->head_len + count) * 2;
        c->head = realloc(c->head, c->head_cap + 1);
    }
    memcpy(c->head + c->head_len, data, count);
    c->head_len += count;
    c->head[c->head_len] = 0;
    char *end;
    int status, size;
    for (;;) {
        end = memmem(c->head, c->head_len, "\r\n\r\n", 4);
        if (!end)
            return 0;
        size = end - c->head + 4;
        status = atoi(c->head + 9);
        if (status >= 200)
            break;
        memmove(c->head, c->head + size, c->head_len - size); // 100 Continue and its kin
        c->head_len -= size;
    }
    *end = 0;
    if (status != 200) {
        char text[300];
        snprintf(text, sizeof text, "status %d %.200s", status, c->head + size);
        counts.refused++;
        problem(text);
    }
    if (measuring && c->measured)
        keep_latency(&to_head, now - c->began);
    char *length = strcasestr(c->head, "\r\ncontent-length:");
    if (strcasestr(c->head, "\r\ntransfer-encoding: chunked")) {
        c->chunked = 1;
        c->left = 0;
        c->part = SIZE;
    } else if (length) {
        c->left = atoll(length + 17);
    } else {
        c->until_close = 1;
    }
    if (strcasestr(c->head, "\r\nconnection: close"))
        c->keep = 0;
    c->state = BODY;
    int rest = c->head_len - size;
    if (rest)
        return take_body(c, c->head + size, rest, now);
    return !c->chunked && !c->until_close && c->left == 0;
}

static void read_answer(conn *c) {
    static char buffer[262144];
    for (int turn = 0; turn < 4; turn++) {
        ssize_t got = recv(c->fd, buffer, sizeof buffer, 0);
        if (got < 0) {
            if (errno != EAGAIN)
                broken(c, strerror(errno));
            return;
        }
        if (got == 0) {
            if (c->state == BODY && c->until_close) {
                c->keep = 0;
                body_complete(c);
            } else {
                broken(c, "the connection was closed early");
            }
            return;
        }
        uint64_t now = now_ns();
        int ended = c->state == HEAD ? take_head(c, buffer, got, now)
                                     : take_body(c, buffer, got, now);
        if (ended) {
            body_complete(c);
            return;
        }
        if (got < (ssize_t)sizeof buffer)
            return;
    }
}

// --- the run --------------------------------------------------------------------------

static char *read_file(const char *path, int *count) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(2);
    }
    fseek(file, 0, SEEK_END);
    *count = ftell(file);
    rewind(file);
    char *body = malloc(*count + 1);
    if (fread(body, 1, *count, file) != (size_t)*count) {
        perror(path);
        exit(2);
    }
    fclose(file);
    return body;
}

static char *chat_body(const char *model, int *count) {
    char *body = malloc(2000);
    *count = snprintf(
        body, 2000,
        "{\"model\":\"%.500s\",\"stream\":%s,\"messages\":[{\"role\":\"system\","
        "\"content\":\"You are a helpful assistant.\"},{\"role\":\"user\",\"content\":"
        "\"Write a short story about a gateway that never drops a byte, in about one "
        "hundred tokens.\"}],\"temperature\":0.7,\"max_tokens\":256}",
        model, kind == JSON ? "false" : "true");
    return body;
}

// A request as the OpenAI SDK sends it, with its dozen header fields.
static void make_request(const char *path, const char *fields, char *body, int count) {
    request = malloc(count + 12000);
    request_len = sprintf(
        request,
        "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: OpenAI/Python 1.99.0\r\n"
        "Accept: application/json\r\nContent-Type: application/json\r\n"
        "Authorization: Bearer sk-test-1234567890abcdef\r\nX-Stainless-Lang: python\r\n"
        "X-Stainless-Package-Version: 1.99.0\r\nX-Stainless-OS: Linux\r\n"
        "X-Stainless-Arch: x64\r\nX-Stainless-Runtime: CPython\r\n%s"
        "Content-Length: %d\r\n\r\n",
        path, port, fields, count);
    memcpy(request + request_len, body, count);
    request_len += count;
}

static void handle(conn *c, uint32_t events) {
    if (c->state == CONNECTING) {
        if (events & (EPOLLERR | EPOLLHUP)) {
            counts.unconnected++;
            problem("a connection was refused");
            usleep(1000);
            reopen(c);
        } else {
            watch(c, EPOLL_CTL_MOD, EPOLLIN);
            begin_request(c);
        }
        return;
    }
    if (c->state == RESTING)
        return;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        read_answer(c);
    } else if (events & EPOLLOUT) {
        watch(c, EPOLL_CTL_MOD, EPOLLIN);
        send_rest(c);
    }
}

static void print_result(double seconds, double processor) {
    struct timespec own;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
    printf("{\"secs\":%.3f,\"req\":%llu,\"ok\":%llu,\"ev\":%llu,\"bytes\":%llu,"
           "\"err\":%llu,\"integ\":%llu,\"http\":%llu,\"connerr\":%llu,\"maxopen\":%d,"
           "\"cpu\":%.4f,\"selfcpu\":%.3f,\"rps\":%.1f,\"evps\":%.1f",
           seconds, counts.requests, counts.complete, counts.events, counts.bytes,
           counts.broken, counts.corrupt, counts.refused, counts.unconnected, open_most,
           processor, (double)own.tv_sec + (double)own.tv_nsec / 1e9,
           (double)counts.complete / seconds, (double)counts.events / seconds);
    print_latencies("head", &to_head);
    print_latencies("ttft", &to_first);
    print_latencies("firstlat", &first_event);
    print_latencies("lat", &per_event);
    print_latencies("inter", &between);
    print_latencies("total", &whole);
    for (char *at = first_problem; *at; at++)
        if (*at == '"' || *at == '\\' || *at < 32)
            *at = '\'';
    printf(",\"note\":\"%s\"}\n", first_problem);
}

int main(int argc, char **argv) {
    const char *path = "/v1/chat/completions", *model = "m-n100-s200-d0-b1";
    const char *host = "127.0.0.1", *body_path = NULL;
    char *fields = calloc(1, 8192);
    int conns = 1, ramp = 2000, option;
    double measured = 5, warmup = 1;
    while ((option = getopt(argc, argv, "p:a:h:m:c:t:w:H:k:LP:1R:B:Cn:")) != -1) {
        switch (option) {
        case 'p': port = atoi(optarg); break;
        case 'a': host = optarg; break;
        case 'h': path = optarg; break;
        case 'm': model = optarg; break;
        case 'c': conns = atoi(optarg); break;
        case 't': measured = atof(optarg); break;
        case 'w': warmup = atof(optarg); break;
        case 'H': strcat(strcat(fields, optarg), "\r\n"); break;
        case 'L': rewritten = 1; break;
        case '1': once = 1; break;
        case 'C': close_each = 1; break;
        case 'R': ramp = atoi(optarg); break;
        case 'B': body_path = optarg; break;
        case 'n': expected = atoi(optarg); break;
        case 'k':
            kind = !strcmp(optarg, "json")       ? JSON
                   : !strcmp(optarg, "es")       ? FRAMES
                   : !strcmp(optarg, "messages") ? MESSAGES
                                                 : OPENAI;
            break;
        case 'P':
            for (char *pid = strtok(optarg, ","); pid; pid = strtok(NULL, ","))
                if (process_count < MAX_PROCESSES)
                    processes[process_count++] = pid;
            break;
        default: return 2;
        }
    }
    signal(SIGPIPE, SIG_IGN);
    crc32_init();
    int body_len;
    char *body = body_path ? read_file(body_path, &body_len) : chat_body(model, &body_len);
    make_request(path, fields, body, body_len);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    if (!inet_aton(host, &address.sin_addr)) {
        fprintf(stderr, "load: not an IPv4 address: %s\n", host);
        return 2;
    }
    poller = epoll_create1(0);
    conn *all = calloc(conns, sizeof *all);
    int opened = 0;
    uint64_t began = now_ns(), measure_at = began + (uint64_t)(warmup * 1e9), end = 0;
    double processor = 0;
    struct epoll_event events[512];
    for (;;) {
        uint64_t now = now_ns();
        if (!measuring && now >= measure_at) {
            measuring = 1;
            processor = processor_seconds();
            measure_at = now_ns();
            end = measure_at + (uint64_t)(measured * 1e9);
        }
        if (measuring && now >= end)
            break;
        double due = 1 + (double)(now - began) / 1e9 * ramp;
        while (opened < conns && opened < due)
            open_conn(&all[opened++]);
        int count = epoll_wait(poller, events, 512, opened < conns ? 1 : 20);
        for (int i = 0; i < count; i++)
            handle(events[i].data.ptr, events[i].events);
    }
    double seconds = (double)(now_ns() - measure_at) / 1e9;
    print_result(seconds, processor_seconds() - processor);
    return 0;
}
