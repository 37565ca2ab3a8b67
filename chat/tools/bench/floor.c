/* The floor: what fan-out costs when nothing is done but write(2). `GET` adds a reader, `POST` writes its body to all,
   one write a reader, as a frame of the size that Tandem's has. `floor PORT`; no other feature, no bounds on trust. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 1 << 17, REQUEST = 1 << 16 };
static const char HEAD[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "d\r\nevent: ready\n\r\n";
static const char DONE[] = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok";
static int readers[MOST], place[MOST], count;
static char *requests[MOST];
static size_t sizes[MOST];
static unsigned long position;

static void write_all(int fd, const char *data, size_t size) {
    while (size) {
        ssize_t done = write(fd, data, size);
        if (done > 0) { data += done; size -= done; }
        else if (errno == EAGAIN) { struct pollfd wait = {fd, POLLOUT, 0}; poll(&wait, 1, 1000); }
        else return;
    }
}

static void forget(int fd) {
    if (place[fd]) {
        int last = readers[--count];
        readers[place[fd] - 1] = last;
        place[last] = place[fd];
        place[fd] = 0;
    }
    free(requests[fd]);
    requests[fd] = NULL;
    sizes[fd] = 0;
    close(fd);
}

static void tell_everybody(const char *body, size_t size) {
    static char frame[2 * REQUEST], chunk[2 * REQUEST + 32];
    ++position;
    int length = sprintf(frame, "id: floor.%lu\ndata: {\"conversation\":1,\"seq\":%lu,\"author\":1,%.*s,"
                         "\"created_at\":\"2026-01-01T00:00:00.000Z\"}\n\n", position, position, (int)size - 2, body + 1);
    int whole = sprintf(chunk, "%x\r\n%s\r\n", length, frame);
    for (int n = 0; n < count; n++) write_all(readers[n], chunk, whole);
}

/* Bytes of the request at the front of the buffer that are dealt with; 0 when it is not whole. */
static size_t answer(int fd, char *request, size_t size) {
    request[size] = 0;
    char *end = strstr(request, "\r\n\r\n");
    if (!end) return 0;
    size_t head = end + 4 - request;
    if (!strncmp(request, "GET", 3)) {
        write_all(fd, HEAD, sizeof HEAD - 1);
        if (!place[fd]) { readers[count++] = fd; place[fd] = count; }
        return head;
    }
    char *length = strcasestr(request, "content-length:");
    size_t body = length && length < end ? strtoul(length + 15, NULL, 10) : 0;
    if (size < head + body) return 0;
    tell_everybody(request + head, body);
    write_all(fd, DONE, sizeof DONE - 1);
    return head + body;
}

static void hear(int fd) {
    if (!requests[fd]) requests[fd] = malloc(REQUEST);
    ssize_t got = read(fd, requests[fd] + sizes[fd], REQUEST - 1 - sizes[fd]);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN) forget(fd);
        return;
    }
    sizes[fd] += got;
    size_t done;
    while (sizes[fd] && (done = answer(fd, requests[fd], sizes[fd]))) {
        memmove(requests[fd], requests[fd] + done, sizes[fd] - done);
        sizes[fd] -= done;
    }
}

int main(int many, char **given) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1, loop = epoll_create1(0);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(many > 1 ? atoi(given[1]) : 0)};
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 4096)) return perror("floor"), 1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, ready[256];
    epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int found = epoll_wait(loop, ready, 256, -1);
        for (int n = 0; n < found; n++) {
            if (ready[n].data.fd != listener) { hear(ready[n].data.fd); continue; }
            int fd;
            while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                event = (struct epoll_event){.events = EPOLLIN, .data.fd = fd};
                if (fd >= MOST || epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event)) close(fd);
            }
        }
    }
}
