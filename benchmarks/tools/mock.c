// A mock provider that is never the bottleneck: one thread, epoll, HTTP/1.1 keep-alive.
//
//   mock PORT [default model]
//
//   POST /model/MODEL/converse-stream   AWS EventStream frames
//   GET  /stats                         counters, as JSON
//   POST anything else                  an OpenAI chat completion; SSE if "stream": true
//
// The model's name steers the answer, because every gateway forwards it:
//   m-n100-s200-d0-b1   n events of s bytes, b events a chunk, d µs between chunks
//                  -f   µs from the head to the first chunk
//                  -h   µs of silence after the first chunk (streams held open)
//                  -u   1: "usage":null in every chunk of requests that ask for usage,
//                       as OpenAI sends it
// Each event carries its number and the time it was made; the last one the hash of all. A
// request whose stream_options ask for usage gets the usage chunk, others get none.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

typedef unsigned long long ull;

enum mode { IDLE, SSE, EVENTSTREAM };
enum flushed { DEAD = -1, BLOCKED = 0, FLUSHED = 1 };

#define MAX_EVENT 65000 // bytes
#define FRAME_ROOM 400  // what an event may need beside its padding, bytes
#define TURN_CHUNKS 32  // chunks one stream may write before the others have their turn

typedef struct conn {
    int fd;
    char *in;
    int in_len, in_cap;
    char *out;
    int out_off, out_len, out_cap;
    enum mode mode;
    int streaming, ended, close_after, usage;
    uint32_t seq, events, size, delay_us, batch, first_us, hold_us, nulls;
    uint64_t due, hash;
    int heap_at;    // place in the timer heap, -1 if none
    int ready;      // is in the ready list
    int wants_out;  // EPOLLOUT is asked for
} conn;

static int poller;
static conn **heap;
static int heap_len, heap_cap;
static conn **ready;
static int ready_len, ready_cap;
static char default_model[256] = "m-n100-s200-d0-b1";

static struct {
    ull requests, streams, done, aborted, open, events, bytes, connections;
} stats;

static void *grown(void *memory, size_t bytes) {
    memory = realloc(memory, bytes);
    if (!memory) {
        perror("realloc");
        exit(1);
    }
    return memory;
}

// --- the timer heap: which stream's next chunk is due first ---------------------------

static void heap_set(int at, conn *c) {
    heap[at] = c;
    c->heap_at = at;
}

static void heap_up(int at) {
    conn *c = heap[at];
    while (at > 0) {
        int parent = (at - 1) / 2;
        if (heap[parent]->due <= c->due)
            break;
        heap_set(at, heap[parent]);
        at = parent;
    }
    heap_set(at, c);
}

static void heap_down(int at) {
    conn *c = heap[at];
    for (;;) {
        int child = 2 * at + 1;
        if (child >= heap_len)
            break;
        if (child + 1 < heap_len && heap[child + 1]->due < heap[child]->due)
            child++;
        if (heap[child]->due >= c->due)
            break;
        heap_set(at, heap[child]);
        at = child;
    }
    heap_set(at, c);
}

static void heap_push(conn *c) {
    if (heap_len == heap_cap) {
        heap_cap = heap_cap ? heap_cap * 2 : 1024;
        heap = grown(heap, heap_cap * sizeof *heap);
    }
    heap[heap_len] = c;
    c->heap_at = heap_len++;
    heap_up(c->heap_at);
}

static void heap_remove(conn *c) {
    int at = c->heap_at;
    if (at < 0)
        return;
    c->heap_at = -1;
    heap_len--;
    if (at < heap_len) {
        conn *last = heap[heap_len];
        heap_set(at, last);
        heap_up(at);
        heap_down(last->heap_at);
    }
}

// --- the ready list: streams that may write now ---------------------------------------

static void ready_push(conn *c) {
    if (c->ready)
        return;
    if (ready_len == ready_cap) {
        ready_cap = ready_cap ? ready_cap * 2 : 1024;
        ready = grown(ready, ready_cap * sizeof *ready);
    }
    ready[ready_len++] = c;
    c->ready = 1;
}

static void ready_forget(conn *c) {
    for (int i = 0; c->ready && i < ready_len; i++)
        if (ready[i] == c)
            ready[i] = NULL;
    c->ready = 0;
}

// --- connections ----------------------------------------------------------------------

static void close_conn(conn *c) {
    heap_remove(c);
    ready_forget(c);
    if (c->streaming) {
        stats.aborted++;
        stats.open--;
    }
    stats.connections--;
    close(c->fd);
    free(c->in);
    free(c->out);
    free(c);
}

static void watch_output(conn *c, int wanted) {
    if (c->wants_out == wanted)
        return;
    c->wants_out = wanted;
    struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0),
                                .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
}

static enum flushed flush(conn *c) {
    while (c->out_off < c->out_len) {
        ssize_t sent =
            send(c->fd, c->out + c->out_off, c->out_len - c->out_off, MSG_NOSIGNAL);
        if (sent > 0) {
            c->out_off += sent;
            stats.bytes += sent;
        } else if (sent < 0 && errno == EAGAIN) {
            watch_output(c, 1);
            return BLOCKED;
        } else if (!(sent < 0 && errno == EINTR)) {
            return DEAD;
        }
    }
    c->out_off = c->out_len = 0;
    watch_output(c, 0);
    return FLUSHED;
}

static void reserve(conn *c, int bytes) {
    if (c->out_len + bytes > c->out_cap) {
        c->out_cap = (c->out_len + bytes) * 2;
        c->out = grown(c->out, c->out_cap);
    }
}

// --- events ---------------------------------------------------------------------------

static char *put(char *at, const char *text, size_t count) {
    memcpy(at, text, count);
    return at + count;
}

// A number with leading zeros, so that every event of a stream has the same size.
static char *put_decimal(char *at, uint64_t value, int digits) {
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = '0' + value % 10;
        value /= 10;
    }
    return at + digits;
}

#define CHUNK                                                                          \
    "{\"id\":\"c-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"       \
    "\"model\":\"m\",\"choices\":["
#define FIRST_DELTA                                                                    \
    "data: " CHUNK "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\""
#define DELTA "data: " CHUNK "{\"index\":0,\"delta\":{\"content\":\""
#define DELTA_END "\"},\"finish_reason\":null}]}\n\n"
#define NULL_USAGE_END "\"},\"finish_reason\":null}],\"usage\":null}\n\n"

// "00000007 00000000000000123456 xxxx": number, time made, padding to the wanted size.
static char *put_text(conn *c, char *at, char *start, int end_size) {
    at = put_decimal(at, c->seq, 8);
    *at++ = ' ';
    at = put_decimal(at, now_ns(), 20);
    *at++ = ' ';
    int padding = (int)c->size - (int)(at - start) - end_size;
    if (padding > 0) {
        memset(at, 'x', padding);
        at += padding;
    }
    return at;
}

static int make_sse_event(conn *c, char *start) {
    char *at = start;
    at = c->seq == 0 ? put(at, FIRST_DELTA, sizeof FIRST_DELTA - 1)
                     : put(at, DELTA, sizeof DELTA - 1);
    int nulls = c->nulls && c->usage;
    const char *end = nulls ? NULL_USAGE_END : DELTA_END;
    int end_size = nulls ? sizeof NULL_USAGE_END - 1 : sizeof DELTA_END - 1;
    at = put_text(c, at, start, end_size);
    at = put(at, end, end_size);
    c->hash = hash_event(c->hash, start, at - start);
    c->seq++;
    stats.events++;
    return at - start;
}

static char *put_sse_end(conn *c, char *at) {
    at += sprintf(at,
                  "data: " CHUNK "{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],"
                  "\"system_fingerprint\":\"fp_%016llx\"}\n\n",
                  (ull)c->hash);
    if (c->usage)
        at += sprintf(at,
                      "data: " CHUNK "],\"usage\":{\"prompt_tokens\":10,"
                      "\"completion_tokens\":%u,\"total_tokens\":%u}}\n\n",
                      c->events, c->events + 10);
    return put(at, "data: [DONE]\n\n", 14);
}

static void put_be32(char *at, uint32_t value) {
    at[0] = (char)(value >> 24);
    at[1] = (char)(value >> 16);
    at[2] = (char)(value >> 8);
    at[3] = (char)value;
}

static char *put_frame_header(char *at, const char *name, const char *value) {
    int name_len = strlen(name), value_len = strlen(value);
    *at++ = (char)name_len;
    at = put(at, name, name_len);
    *at++ = 7; // the type: string
    *at++ = (char)(value_len >> 8);
    *at++ = (char)value_len;
    return put(at, value, value_len);
}

// One EventStream frame: total, headers' size, prelude CRC, headers, payload, CRC.
static int make_frame(char *start, const char *type, const char *payload, int count) {
    char *at = start + 12;
    at = put_frame_header(at, ":event-type", type);
    at = put_frame_header(at, ":content-type", "application/json");
    at = put_frame_header(at, ":message-type", "event");
    int headers = at - start - 12;
    at = put(at, payload, count);
    int total = at - start + 4;
    put_be32(start, total);
    put_be32(start + 4, headers);
    put_be32(start + 8, crc32_of((unsigned char *)start, 8));
    put_be32(at, crc32_of((unsigned char *)start, total - 4));
    return total;
}

static int make_delta_frame(conn *c, char *start) {
    static char payload[MAX_EVENT + FRAME_ROOM];
    // 105 bytes go to the frame around the payload, 3 to the payload's end.
    static const int around = 105 + 3;
    char *at = payload;
    at += sprintf(at, "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"");
    at = put_text(c, at, payload, around);
    at = put(at, "\"}}", 3);
    c->seq++;
    stats.events++;
    return make_frame(start, "contentBlockDelta", payload, at - payload);
}

static char *put_frame_end(conn *c, char *at) {
    static const char stop[] = "{\"stopReason\":\"end_turn\"}";
    char usage[160];
    int count = sprintf(usage,
                        "{\"usage\":{\"inputTokens\":10,\"outputTokens\":%u,"
                        "\"totalTokens\":%u},\"metrics\":{\"latencyMs\":1}}",
                        c->events, c->events + 10);
    at += make_frame(at, "messageStop", stop, sizeof stop - 1);
    return at + make_frame(at, "metadata", usage, count);
}

// Append one HTTP chunk with the next events and, after the last, the stream's end.
static void add_chunk(conn *c) {
    reserve(c, (int)(c->batch + 4) * ((int)c->size + FRAME_ROOM));
    char *base = c->out + c->out_len;
    char *body = base + 8; // six hex digits, CR LF
    char *at = body;
    for (uint32_t i = 0; i < c->batch && c->seq < c->events; i++)
        at += c->mode == SSE ? make_sse_event(c, at) : make_delta_frame(c, at);
    int last = c->seq >= c->events;
    if (last)
        at = c->mode == SSE ? put_sse_end(c, at) : put_frame_end(c, at);
    uint32_t size = at - body;
    for (int i = 5; i >= 0; i--, size >>= 4)
        base[i] = "0123456789abcdef"[size & 15];
    base[6] = '\r';
    base[7] = '\n';
    at = put(at, "\r\n", 2);
    if (last) {
        at = put(at, "0\r\n\r\n", 5);
        c->ended = 1;
    }
    c->out_len += at - base;
}

static void answer_requests(conn *c);

static void plan_next_chunk(conn *c, uint64_t now) {
    if (c->seq == c->batch && c->hold_us) {
        c->due = now + (uint64_t)c->hold_us * 1000;
    } else if (c->delay_us) {
        if (c->seq == c->batch) // the first chunk: spread the streams over the period
            c->due = now + 1 + (uint64_t)(rand() % c->delay_us) * 1000;
        else
            c->due += (uint64_t)c->delay_us * 1000;
        if (c->due + 1000000000ull < now) // a second behind: do not catch up in a burst
            c->due = now;
    }
}

// Write what may be written now.
static void pump(conn *c) {
    for (int budget = TURN_CHUNKS;; budget--) {
        enum flushed state = flush(c);
        if (state == DEAD) {
            close_conn(c);
            return;
        }
        if (state == BLOCKED || !c->streaming)
            return;
        if (c->ended) {
            c->streaming = 0;
            c->mode = IDLE;
            stats.open--;
            stats.done++;
            if (c->close_after) {
                close_conn(c);
            } else if (c->in_len) {
                answer_requests(c);
                if (!c->streaming && flush(c) == DEAD)
                    close_conn(c);
            }
            return;
        }
        uint64_t now = now_ns();
        if (c->due > now) {
            if (c->heap_at < 0)
                heap_push(c);
            return;
        }
        if (budget == 0) {
            ready_push(c);
            return;
        }
        add_chunk(c);
        plan_next_chunk(c, now);
    }
}

// --- requests -------------------------------------------------------------------------

static uint32_t knob(const char *model, int count, char key, uint32_t fallback) {
    for (int i = 0; i + 2 < count; i++)
        if (model[i] == '-' && model[i + 1] == key)
            return strtoul(model + i + 2, NULL, 10);
    return fallback;
}

static void start_stream(conn *c, enum mode mode, const char *model, int count) {
    char name[256] = {0};
    if (count > 255)
        count = 255;
    memcpy(name, model, count);
    c->mode = mode;
    c->streaming = 1;
    c->ended = 0;
    c->seq = 0;
    c->hash = 0;
    c->events = knob(name, count, 'n', 100);
    c->size = knob(name, count, 's', 200);
    c->delay_us = knob(name, count, 'd', 0);
    c->batch = knob(name, count, 'b', 1);
    c->first_us = knob(name, count, 'f', 0);
    c->hold_us = knob(name, count, 'h', 0);
    c->nulls = knob(name, count, 'u', 0);
    if (c->batch < 1)
        c->batch = 1;
    if (c->size > MAX_EVENT)
        c->size = MAX_EVENT;
    stats.streams++;
    stats.open++;
    c->due = now_ns() + (uint64_t)c->first_us * 1000;
    reserve(c, 400);
    c->out_len +=
        sprintf(c->out + c->out_len,
                "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nCache-Control: no-cache\r\n"
                "Transfer-Encoding: chunked\r\nx-request-id: req-%llu\r\n"
                "openai-processing-ms: 5\r\n\r\n",
                mode == SSE ? "text/event-stream" : "application/vnd.amazon.eventstream",
                stats.streams);
    ready_push(c);
}

static void answer_whole(conn *c) {
    static char body[1400];
    static int count;
    if (!count) {
        count = sprintf(body,
                        "{\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion\","
                        "\"created\":1700000000,\"model\":\"gpt-mock\",\"choices\":["
                        "{\"index\":0,\"message\":{\"role\":\"assistant\","
                        "\"content\":\"");
        for (int i = 0; i < 780; i++)
            body[count++] = "Lorem ipsum dolor sit amet "[i % 27];
        count += sprintf(body + count,
                         "\"},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":"
                         "{\"prompt_tokens\":10,\"completion_tokens\":20,"
                         "\"total_tokens\":30}}");
    }
    reserve(c, 400 + count);
    c->out_len += sprintf(c->out + c->out_len,
                          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                          "Content-Length: %d\r\nx-request-id: req-%llu\r\n"
                          "openai-processing-ms: 5\r\n\r\n",
                          count, stats.requests);
    memcpy(c->out + c->out_len, body, count);
    c->out_len += count;
}

static void answer_stats(conn *c) {
    char body[512];
    int count = sprintf(body,
                        "{\"req\":%llu,\"streams\":%llu,\"done\":%llu,\"abort\":%llu,"
                        "\"open\":%llu,\"events\":%llu,\"bytes\":%llu,\"conns\":%llu}",
                        stats.requests, stats.streams, stats.done, stats.aborted,
                        stats.open, stats.events, stats.bytes, stats.connections);
    reserve(c, 800);
    c->out_len += sprintf(c->out + c->out_len,
                          "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n"
                          "Content-Type: application/json\r\n\r\n%s",
                          count, body);
}

// The value after a member's name and colon, or NULL.
static char *member(char *body, int count, const char *quoted_name) {
    char *at = memmem(body, count, quoted_name, strlen(quoted_name));
    if (!at)
        return NULL;
    at += strlen(quoted_name);
    while (*at == ' ' || *at == ':')
        at++;
    return at;
}

static void answer_chat(conn *c, char *body, int count) {
    char *model = default_model;
    int model_len = strlen(default_model);
    char *value = member(body, count, "\"model\"");
    if (value && *value == '"') {
        char *end = memchr(value + 1, '"', body + count - value - 1);
        if (end) {
            model = value + 1;
            model_len = end - model;
        }
    }
    value = member(body, count, "\"stream\"");
    if (!value || *value != 't') {
        answer_whole(c);
        return;
    }
    value = member(body, count, "\"include_usage\"");
    c->usage = value && *value == 't';
    start_stream(c, SSE, model, model_len);
}

// Answer the complete requests in the buffer, up to the first that streams.
static void answer_requests(conn *c) {
    while (!c->streaming && c->in_len) {
        char *end = memmem(c->in, c->in_len, "\r\n\r\n", 4);
        if (!end)
            return;
        int head = end - c->in + 4, total;
        *end = 0;
        char *length = strcasestr(c->in, "\r\ncontent-length:");
        int declared = length ? atoi(length + 17) : 0;
        int chunked = strcasestr(c->in, "\r\ntransfer-encoding: chunked") != NULL;
        if (strcasestr(c->in, "\r\nconnection: close"))
            c->close_after = 1;
        *end = '\r';
        if (chunked) {
            char *last = memmem(c->in + head, c->in_len - head, "0\r\n\r\n", 5);
            if (!last)
                return;
            total = last - c->in + 5;
        } else {
            total = head + declared;
            if (c->in_len < total)
                return;
        }
        stats.requests++;
        if (!strncmp(c->in, "GET /stats", 10)) {
            answer_stats(c);
        } else if (!strncmp(c->in, "POST /model/", 12)) {
            char *model = c->in + 12, *slash = memchr(model, '/', head - 12);
            start_stream(c, EVENTSTREAM, model, slash ? (int)(slash - model) : 0);
        } else {
            answer_chat(c, c->in + head, total - head);
        }
        memmove(c->in, c->in + total, c->in_len - total);
        c->in_len -= total;
    }
}

static void read_input(conn *c) {
    if (c->in_cap - c->in_len < 4096) {
        c->in_cap = c->in_cap ? c->in_cap * 2 : 8192;
        c->in = grown(c->in, c->in_cap + 1);
    }
    ssize_t got = recv(c->fd, c->in + c->in_len, c->in_cap - c->in_len, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        close_conn(c);
        return;
    }
    if (got < 0)
        return;
    c->in_len += got;
    c->in[c->in_len] = 0;
    if (c->streaming)
        return;
    answer_requests(c);
    if (c->streaming)
        return;
    enum flushed state = flush(c);
    if (state == DEAD || (state == FLUSHED && c->close_after && c->in_len == 0))
        close_conn(c);
}

static void accept_all(int listener) {
    static const int one = 1;
    for (int i = 0; i < 64; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (fd < 0)
            return;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        conn *c = calloc(1, sizeof *c);
        c->fd = fd;
        c->heap_at = -1;
        stats.connections++;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
}

static int wait_events(struct epoll_event *events, int count) {
    struct timespec span = {0, 0}, *limit = &span;
    if (!ready_len) {
        if (heap_len) {
            uint64_t now = now_ns();
            uint64_t left = heap[0]->due > now ? heap[0]->due - now : 0;
            span.tv_sec = left / 1000000000;
            span.tv_nsec = left % 1000000000;
        } else {
            limit = NULL;
        }
    }
    return epoll_pwait2(poller, events, count, limit, NULL);
}

static void run_ready(void) {
    // pump() may close a connection or make one ready again, so that ready[] stays the
    // authority: closed ones are NULL there, new ones are appended behind the count.
    int count = ready_len;
    for (int i = 0; i < count; i++) {
        conn *c = ready[i];
        if (!c)
            continue;
        ready[i] = NULL;
        c->ready = 0;
        pump(c);
    }
    int kept = 0;
    for (int i = 0; i < ready_len; i++)
        if (ready[i])
            ready[kept++] = ready[i];
    ready_len = kept;
}

static int listen_on(int port) {
    static const int one = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (void *)&address, sizeof address) || listen(listener, 8192)) {
        perror("mock: cannot listen");
        exit(1);
    }
    return listener;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: mock PORT [default model]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    crc32_init();
    if (argc > 2)
        snprintf(default_model, sizeof default_model, "%s", argv[2]);
    int listener = listen_on(atoi(argv[1]));
    poller = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[256];
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = wait_events(events, 256);
        for (int i = 0; i < count; i++) {
            conn *c = events[i].data.ptr;
            if (!c)
                accept_all(listener);
            else if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                read_input(c);
            // What became writable is written in the next turn if it was also readable:
            // epoll is level-triggered, and reading may have closed the connection.
            else if (events[i].events & EPOLLOUT) {
                if (!c->streaming || c->heap_at >= 0) {
                    if (flush(c) == DEAD)
                        close_conn(c);
                } else {
                    pump(c);
                }
            }
        }
        uint64_t now = now_ns();
        while (heap_len && heap[0]->due <= now) {
            conn *c = heap[0];
            heap_remove(c);
            pump(c);
        }
        run_ready();
    }
}
