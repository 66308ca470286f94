/* bk-hook: hands one tool call to the resident engine and relays the answer.
 *
 * It decides nothing. It reads stdin, finds the engine's socket, makes sure that nobody else holds it, sends one frame
 * (bk/hook/protocol.py says what a frame is) and relays the reply: stdout, stderr, exit code. When no engine answers,
 * the same frame goes to a Python process that decides by itself. Whatever else happens ends in deny(): exit code 2,
 * the client's own deny JSON, and a reason, before the deadline. Exit code 0 only ever comes out of a whole reply.
 *
 * bk/hook/client.py does the same in Python, byte for byte; tests/unit/hook_client holds the two together.
 * Process start is what this program costs, so: static buffers (untouched pages are free), no stdio, no locale.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct client {
    const char *name, *deny; /* deny: the client's JSON, %s where the reason goes as a JSON string; "" prints nothing */
    int deny_exit;
};
#include "deny_table.h" /* CLIENTS, from the data in bk/hook/harnesses */

#ifndef PLACE
#define PLACE "/etc/bk/place"
#endif
enum { ANSWER_BY_MS = 4700, OUTPUT_MS = 200 }; /* clients are promised an answer within 5,000 ms */
enum { MAX_BODY = (1 << 20) + 1, MAX_META = 65536, MAX_STDOUT = 1 << 20, MAX_STDERR = 64 << 10 };
enum { REQUEST_HEAD = 12, REPLY_HEAD = 16, ANSWER = 0, DRAINING = 3 };

static const char *const VARIABLES[] = {"BK_FAIL_MODE",   "BK_AGENT_ID",        "BK_PARENT_AGENT_ID", "BK_AGENT_DEPTH",
                                        "BK_AGENT_LINEAGE", "CLAUDE_PROJECT_DIR", "HOME"};
static const char *const KEPT[] = {"HOME=", "PATH=", "LANG=", "LC_ALL=", "TZ=", "USER=", "LOGNAME=",
                                   "XDG_RUNTIME_DIR=", "CLAUDE_PROJECT_DIR=", "BK_"};

extern char **environ;
static const struct client *client; /* NULL until the name is known to be one */
static const char *harness, *event = "";
static int64_t deadline; /* on the monotonic clock, ms */
static unsigned char body[MAX_BODY], reply[REPLY_HEAD + MAX_STDOUT + MAX_STDERR + 1];
static char meta[MAX_META], nonce[33];
static size_t body_len, meta_len, reply_len;
static char cwd[PATH_MAX], home[PATH_MAX], root[PATH_MAX], socket_path[PATH_MAX];
static uid_t owner;
static bool placed, moved; /* by the placement file; by BK_HOME */
static pid_t child;        /* the process that decides cold, while it may still run */

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Wait until fd is ready; false when the time is up. */
static bool ready(int fd, short events, int64_t until)
{
    for (;;) {
        int64_t left = until - now();
        struct pollfd p = {.fd = fd, .events = events};
        int n = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (n >= 0)
            return n > 0;
        if (errno != EINTR)
            return false;
    }
}

/* Write everything, or tell that it could not be done. Small pieces: a pipe that is ready takes one without blocking. */
static bool emit(int fd, const void *data, size_t len, int64_t until)
{
    const char *at = data;
    while (len) {
        ssize_t n = ready(fd, POLLOUT, until) ? write(fd, at, len < 4096 ? len : 4096) : 0;
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* ---- saying no ---- */

static char text[1024], json[2 * sizeof text], deny_out[16384];

static size_t append(char *to, size_t at, size_t size, const char *from)
{
    while (*from && at + 1 < size)
        to[at++] = *from++;
    to[at] = 0;
    return at;
}

/* Deny with "reason: detail". Both may hold outside text, so only printable ASCII leaves. */
static _Noreturn void deny(const char *reason, const char *detail)
{
    int64_t until = now() + OUTPUT_MS;
    if (child > 0)
        kill(child, SIGKILL);
    size_t len = append(text, 0, sizeof text - 1, "bk blocked this call: "), out = 0, j = 0;
    len = append(text, len, sizeof text - 1, reason);
    if (*detail) {
        len = append(text, len, sizeof text - 1, ": ");
        len = append(text, len, sizeof text - 1, detail);
    }
    json[j++] = '"';
    for (size_t i = 0; i < len; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e)
            text[i] = '?';
        if (text[i] == '"' || text[i] == '\\')
            json[j++] = '\\';
        json[j++] = text[i];
    }
    json[j++] = '"';
    json[j] = 0;
    text[len++] = '\n';
    if (client && *client->deny) {
        for (const char *c = client->deny; *c; c++) {
            char one[2] = {*c, 0};
            bool here = c[0] == '%' && c[1] == 's';
            out = append(deny_out, out, sizeof deny_out - 1, here ? json : one);
            c += here;
        }
        deny_out[out++] = '\n';
        emit(1, deny_out, out, until);
    }
    emit(2, text, len, until);
    _exit(client ? client->deny_exit : 2);
}

/* The decimal form of n, for a reason. */
static const char *number(unsigned long n)
{
    static char digits[24];
    char *at = digits + sizeof digits - 1;
    do
        *--at = (char)('0' + n % 10);
    while (n /= 10);
    return at;
}

static _Noreturn void deny_errno(const char *reason)
{
    char detail[40] = "errno ";
    append(detail, 6, sizeof detail, number((unsigned long)errno));
    deny(reason, detail);
}

static const char LATE[] = "there was no decision before the deadline";

/* ---- arguments and standard input ---- */

static bool all_digits(const char *s, size_t most)
{
    size_t len = strlen(s);
    return len > 0 && len <= most && strspn(s, "0123456789") == len;
}

static unsigned long value_of(const char *digits)
{
    unsigned long n = 0;
    while (*digits)
        n = n * 10 + (unsigned long)(*digits++ - '0');
    return n;
}

static void read_arguments(int argc, char **argv)
{
    const char *wrong = NULL;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (value && !strcmp(argv[i], "--harness"))
            harness = value;
        else if (value && !strcmp(argv[i], "--event"))
            event = value;
        else if (value && !strcmp(argv[i], "--deadline-ms") && all_digits(value, 9)) {
            int64_t lower = deadline - ANSWER_BY_MS + (int64_t)value_of(value);
            deadline = lower < deadline ? lower : deadline; /* never raised */
        } else {
            wrong = wrong ? wrong : argv[i];
            continue;
        }
        i++;
    }
    for (size_t i = 0; harness && i < sizeof CLIENTS / sizeof *CLIENTS; i++)
        if (!strcmp(CLIENTS[i].name, harness))
            client = &CLIENTS[i];
    if (wrong)
        deny("usage: bk-hook --harness NAME [--event EVENT] [--deadline-ms MS]; not understood", wrong);
    if (!harness)
        deny("usage: bk-hook --harness NAME [--event EVENT] [--deadline-ms MS]", "");
    if (!client)
        deny("no client has this name", harness);
}

/* A closed standard descriptor would be taken by the next open, and output would go there. */
static void fill_standard_descriptors(void)
{
    struct pollfd p[3] = {{.fd = 0}, {.fd = 1}, {.fd = 2}};
    if (poll(p, 3, 0) < 0)
        deny_errno("the standard descriptors cannot be checked");
    for (int fd = 0; fd < 3; fd++)
        if (p[fd].revents & POLLNVAL && open("/dev/null", O_RDWR) != fd)
            deny("the standard descriptors cannot be opened", "");
}

static void read_body(void)
{
    while (body_len < sizeof body) {
        if (!ready(0, POLLIN, deadline))
            deny("standard input did not end before the deadline", "");
        ssize_t n = read(0, body + body_len, sizeof body - body_len);
        if (n == 0)
            return;
        if (n > 0)
            body_len += (size_t)n;
        else if (errno != EINTR && errno != EAGAIN)
            deny_errno("standard input cannot be read");
    }
}

/* ---- where the engine is: the rules of bk/engine/state.py ---- */

/* The lexically normal form of an absolute path. */
static void normalise(char *out, const char *path)
{
    size_t at = 0;
    while (*path) {
        size_t len = strcspn(path, "/");
        if (len == 2 && path[0] == '.' && path[1] == '.') {
            while (at > 0 && out[--at] != '/')
                ;
        } else if (len > 0 && !(len == 1 && path[0] == '.')) {
            if (at + len + 2 > PATH_MAX)
                deny("a path is too long", "");
            out[at++] = '/';
            memcpy(out + at, path, len);
            at += len;
        }
        path += len + (path[len] == '/');
    }
    if (!at)
        out[at++] = '/';
    out[at] = 0;
}

static void join(char *out, const char *folder, const char *name)
{
    if (strlen(folder) + strlen(name) + 1 > PATH_MAX)
        deny("a path is too long", "");
    size_t at = append(out, 0, PATH_MAX, strcmp(folder, "/") || *name != '/' ? folder : "");
    append(out, at, PATH_MAX, name);
}

static bool inside(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    return !strncmp(path, folder, len) && (path[len] == 0 || path[len] == '/');
}

/* Whether path is in the working directory, or in a repository above it that is not the home directory. */
static bool in_project(const char *path)
{
    char top[PATH_MAX], probe[PATH_MAX], git[PATH_MAX];
    struct stat info;
    memcpy(top, cwd, sizeof top);
    memcpy(probe, cwd, sizeof probe);
    while (strcmp(probe, "/") && strcmp(probe, home)) {
        if (strlen(probe) + 6 <= sizeof git) {
            join(git, probe, "/.git");
            if (!lstat(git, &info))
                memcpy(top, probe, sizeof top);
        }
        char *slash = strrchr(probe, '/');
        slash[slash == probe] = 0;
    }
    return strcmp(top, "/") && strcmp(top, home) && inside(path, top);
}

/* The root-owned file that may put state and engine elsewhere, under another uid; false when there is none. */
static bool read_place(void)
{
    static char lines[4097];
    struct stat info;
    int fd = open(PLACE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno != ELOOP)
        return false;
    if (fd < 0 || fstat(fd, &info) || info.st_uid != 0 || info.st_mode & 022 || !S_ISREG(info.st_mode))
        deny("the placement file is not root's alone", PLACE);
    ssize_t n = read(fd, lines, sizeof lines - 1);
    close(fd);
    if (n < 0)
        deny("the placement file cannot be read", PLACE);
    lines[n] = 0;
    root[0] = socket_path[0] = 0;
    for (char *line = lines, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        char *value = strchr(line, '=');
        if (*line == '#' || !value)
            continue;
        *value++ = 0;
        while (*line == ' ' || *line == '\t')
            line++;
        line[strcspn(line, " \t\r")] = 0;
        value += strspn(value, " \t");
        size_t len = strlen(value);
        while (len && strchr(" \t\r", value[len - 1]))
            value[--len] = 0;
        if (!strcmp(line, "state"))
            append(root, 0, sizeof root, value);
        else if (!strcmp(line, "socket"))
            append(socket_path, 0, sizeof socket_path, value);
        else if (!strcmp(line, "uid")) {
            if (!all_digits(value, 9))
                deny("the placement file names no uid", PLACE);
            owner = (uid_t)value_of(value);
        }
    }
    if (*root != '/' || (*socket_path && *socket_path != '/'))
        deny("the placement file names no state directory", PLACE);
    return true;
}

static void locate(void)
{
    const char *given_home = getenv("HOME"), *given_root = getenv("BK_HOME");
    owner = geteuid();
    if (!getcwd(cwd, sizeof cwd) || *cwd != '/')
        deny("the working directory cannot be named", "");
    placed = read_place();
    moved = !placed && given_root && *given_root;
    if (given_home && *given_home && *given_home != '/')
        deny("HOME is not an absolute path", given_home);
    if (!placed && !moved && !(given_home && *given_home))
        deny("HOME is not set", "so there is no telling where the engine is");
    normalise(home, given_home && *given_home ? given_home : "/");
    if (moved) {
        if (*given_root != '/')
            deny("BK_HOME is refused: it is not an absolute path", given_root);
        normalise(root, given_root);
        if (in_project(root))
            deny("BK_HOME is refused: it lies in the project that is being worked on", root);
    } else if (!placed)
        join(root, home, "/.bk");
    if (!*socket_path)
        join(socket_path, root, "/run/engine.sock");
}

/* Whether the socket's directory is there; deny when it is not the owner's alone. */
static bool run_directory(void)
{
    char run[PATH_MAX], real[PATH_MAX];
    struct stat info;
    append(run, 0, sizeof run, socket_path);
    char *slash = strrchr(run, '/');
    slash[slash == run] = 0;
    if (lstat(run, &info)) {
        if (errno == ENOENT)
            return false;
        deny_errno("the engine's directory cannot be examined");
    }
    if (!S_ISDIR(info.st_mode))
        deny("the engine's directory is not a real directory", run);
    if (info.st_uid != owner)
        deny("the engine's directory belongs to another user", run);
    if (info.st_mode & (owner == geteuid() ? 077 : 022)) /* callers of an engine with its own uid must get in */
        deny("the engine's directory is open to others", run);
    if (moved) { /* what the name says was checked; a link above may still lead into the project */
        int fd = open(run, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        char link[40] = "/proc/self/fd/";
        append(link, strlen(link), sizeof link, number((unsigned long)fd));
        ssize_t n = fd < 0 ? -1 : readlink(link, real, sizeof real - 1);
        real[n < 0 ? 0 : n] = 0;
        if (n < 0 || in_project(real))
            deny("BK_HOME is refused: it leads into the project that is being worked on", root);
        close(fd);
    }
    return true;
}

/* ---- the request ---- */

/* UTF-8 as the engine will read it, and no byte that would end a key or a value. */
static bool is_text(const char *value)
{
    const unsigned char *s = (const unsigned char *)value;
    while (*s) {
        if (*s == 0x1e || *s == 0x1f)
            return false;
        int more = *s < 0x80 ? 0 : *s >= 0xc2 && *s < 0xe0 ? 1 : *s >= 0xe0 && *s < 0xf0 ? 2 : *s >= 0xf0 && *s < 0xf5 ? 3 : -1;
        if (more < 0 || (*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) || (*s == 0xf0 && s[1] < 0x90) ||
            (*s == 0xf4 && s[1] > 0x8f))
            return false;
        for (s++; more > 0; more--)
            if ((*s++ & 0xc0) != 0x80)
                return false;
    }
    return true;
}

static void put(const char *prefix, const char *key, const char *value)
{
    size_t a = strlen(prefix), b = strlen(key), c = strlen(value);
    char name[64];
    append(name, append(name, 0, sizeof name, prefix), sizeof name, key);
    if (!is_text(value))
        deny("the call cannot be sent: it is not UTF-8 or holds a separator", name);
    if (meta_len + a + b + c + 2 > sizeof meta)
        deny("the call cannot be sent: the environment is too large", name);
    memcpy(meta + meta_len, prefix, a);
    memcpy(meta + meta_len + a, key, b);
    meta[meta_len + a + b] = 0x1f;
    memcpy(meta + meta_len + a + b + 1, value, c);
    meta_len += a + b + c + 2;
    meta[meta_len - 1] = 0x1e;
}

static void describe(void)
{
    int64_t left = deadline - now();
    meta_len = 0;
    put("", "harness", harness);
    put("", "event", event);
    put("", "cwd", cwd);
    put("", "home", home);
    put("", "nonce", nonce);
    put("", "deadline", number(left > 0 ? (unsigned long)left : 0));
    for (size_t i = 0; i < sizeof VARIABLES / sizeof *VARIABLES; i++) {
        const char *value = getenv(VARIABLES[i]);
        if (value)
            put("env.", VARIABLES[i], value);
    }
}

static void make_nonce(void)
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        deny_errno("there is no randomness");
    for (size_t i = 0; i < 32; i++)
        nonce[i] = "0123456789abcdef"[i % 2 ? bytes[i / 2] & 15 : bytes[i / 2] >> 4];
}

static void big_endian(unsigned char *to, size_t n)
{
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(n >> (24 - 8 * i));
}

/* Send the whole frame; false when the other end is gone. */
static bool send_frame(int fd, bool is_socket)
{
    unsigned char head[REQUEST_HEAD] = "BKH1";
    big_endian(head + 4, meta_len);
    big_endian(head + 8, body_len);
    struct iovec parts[3] = {{head, sizeof head}, {meta, meta_len}, {body, body_len}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
    size_t left = sizeof head + meta_len + body_len;
    for (;;) {
        ssize_t n = is_socket ? sendmsg(fd, &message, MSG_NOSIGNAL) : writev(fd, message.msg_iov, (int)message.msg_iovlen);
        if (n < 0) {
            if (errno == EPIPE || errno == ECONNRESET)
                return false;
            if (errno == EAGAIN && !ready(fd, POLLOUT, deadline))
                deny(LATE, "the engine does not take the call");
            if (errno != EAGAIN && errno != EINTR)
                deny_errno("the call cannot be sent");
            continue;
        }
        left -= (size_t)n;
        if (!left)
            return true;
        for (struct iovec *part = message.msg_iov; n > 0;) {
            size_t took = (size_t)n < part->iov_len ? (size_t)n : part->iov_len;
            part->iov_base = (char *)part->iov_base + took;
            part->iov_len -= took;
            n -= (ssize_t)took;
            if (!part->iov_len) {
                message.msg_iov = ++part;
                message.msg_iovlen--;
            }
        }
    }
}

/* ---- the reply ---- */

static size_t u32(const unsigned char *at)
{
    return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
}

/* Whether the reply is complete; deny as soon as it cannot become one. */
static bool complete(void)
{
    static const char bad[] = "the engine's answer is malformed";
    if (memcmp(reply, "BKR1", reply_len < 4 ? reply_len : 4))
        deny(bad, "it is not a reply");
    if (reply_len < REPLY_HEAD)
        return false;
    if (reply[4] > DRAINING || reply[6] || reply[7])
        deny(bad, "its head makes no sense");
    size_t out = u32(reply + 8), err = u32(reply + 12);
    if (out > MAX_STDOUT || err > MAX_STDERR)
        deny(bad, "it says that it is too long");
    if (reply_len > REPLY_HEAD + out + err)
        deny(bad, "bytes follow it");
    return reply_len == REPLY_HEAD + out + err;
}

/* Read a whole reply; false when the other end is gone before. */
static bool receive(int fd, const char *late)
{
    for (reply_len = 0;;) {
        if (!ready(fd, POLLIN, deadline))
            deny(LATE, late);
        ssize_t n = read(fd, reply + reply_len, sizeof reply - reply_len);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0)
            return false;
        reply_len += (size_t)n;
        if (complete())
            return true;
    }
}

static _Noreturn void relay(void)
{
    size_t out = u32(reply + 8), err = u32(reply + 12);
    int64_t until = deadline + OUTPUT_MS;
    bool told = emit(1, reply + REPLY_HEAD, out, until);
    told = emit(2, reply + REPLY_HEAD + out, err, until) && told;
    _exit(told ? reply[5] : 2); /* an answer that was lost on the way must not become a yes */
}

/* The resident engine's answer; false when there is none and the call must be decided cold. */
static bool ask_engine(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (!run_directory() || strlen(socket_path) >= sizeof address.sun_path)
        return false;
    append(address.sun_path, 0, sizeof address.sun_path, socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        deny_errno("there is no socket to be had");
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) {
        if (errno != ENOENT && errno != ECONNREFUSED && errno != EAGAIN)
            deny_errno("the engine's socket cannot be opened");
        close(fd);
        return false;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
        deny_errno("the engine's identity cannot be checked");
    if (peer.uid != owner)
        deny("another user's process holds the engine's socket; its uid is", number(peer.uid));
    bool answered = send_frame(fd, true) && receive(fd, "the engine does not answer") && reply[4] == ANSWER;
    close(fd);
    return answered;
}

/* ---- no engine: the same decision in a process of its own ---- */

/* The interpreter that the installer wrote into the script beside this program, or the one beside it. */
static void find_python(char *python, char *script)
{
    static char line[PATH_MAX], self[PATH_MAX];
    struct stat info;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        deny("no engine answers, and this program cannot find itself", "");
    self[n] = 0;
    *strrchr(self, '/') = 0;
    join(script, self, "/bk-hook-python");
    int fd = open(script, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
    if (n < 0)
        deny("no engine answers, and bk is not installed whole; missing", script);
    close(fd);
    line[n] = 0;
    line[strcspn(line, "\r\n")] = 0;
    if (!strncmp(line, "#!/", 3) && strcmp(line, "#!/bin/sh") && !stat(line + 2, &info))
        append(python, 0, PATH_MAX, line + 2);
    else
        join(python, self, "/python3");
    if (access(python, X_OK))
        deny("no engine answers, and the Python that bk was installed with is gone", python);
}

static _Noreturn void become_python(char *python, char *script, int request, int answer)
{
    static char *kept[256];
    char *words[] = {python, "-I", script, "--framed", NULL};
    size_t count = 0;
    for (char **variable = environ; *variable; variable++)
        for (size_t i = 0; i < sizeof KEPT / sizeof *KEPT && count < sizeof kept / sizeof *kept - 1; i++)
            if (!strncmp(*variable, KEPT[i], strlen(KEPT[i]))) {
                kept[count++] = *variable;
                break;
            }
    if (dup2(request, 0) == 0 && dup2(answer, 1) == 1)
        execve(python, words, kept);
    _exit(127);
}

static void ask_cold(void)
{
    char python[PATH_MAX], script[PATH_MAX];
    int answer[2];
    find_python(python, script);
    describe(); /* the same nonce, and what is left of the time */
    int request = memfd_create("bk-request", MFD_CLOEXEC);
    if (request < 0 || !send_frame(request, false) || lseek(request, 0, SEEK_SET) || pipe2(answer, O_CLOEXEC))
        deny_errno("no engine answers, and the call cannot be handed on");
    signal(SIGCHLD, SIG_DFL); /* were it ignored, the child's pid could be another's by the time it is killed */
    child = fork();
    if (child < 0)
        deny_errno("no engine answers, and no process can be started");
    if (child == 0)
        become_python(python, script, request, answer[1]);
    close(answer[1]);
    if (!receive(answer[0], "no engine answers, and deciding without one took too long") || reply[4] != ANSWER)
        deny("no engine answers, and the decision without one ended without an answer", "");
    child = 0;
}

int main(int argc, char **argv)
{
    deadline = now() + ANSWER_BY_MS;
    signal(SIGPIPE, SIG_IGN); /* a death by signal is no refusal to any client */
    fill_standard_descriptors();
    read_arguments(argc, argv);
    read_body();
    locate();
    make_nonce();
    describe();
    if (!ask_engine())
        ask_cold();
    relay();
}
