#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <string.h>

/// Starts a server on a numeric IPv4 or IPv6 address, with one thread of its own for all connections.
///
/// NULL with errno set; EINVAL if this is no address. MHD_start_daemon is variadic, which Swift cannot
/// call.
static inline struct MHD_Daemon *tw_mhd_start(
    const char *address, uint16_t port, MHD_AccessHandlerCallback handler, void *context) {
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    struct sockaddr *place = NULL;
    unsigned int flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL;
    memset(&four, 0, sizeof four);
    memset(&six, 0, sizeof six);
    if (inet_pton(AF_INET, address, &four.sin_addr) == 1) {
        four.sin_family = AF_INET;
        four.sin_port = htons(port);
        place = (struct sockaddr *)&four;
    } else if (inet_pton(AF_INET6, address, &six.sin6_addr) == 1) {
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(port);
        place = (struct sockaddr *)&six;
        flags |= MHD_USE_IPv6;
    } else {
        errno = EINVAL;
        return NULL;
    }
    return MHD_start_daemon(
        flags, port, NULL, NULL, handler, context, MHD_OPTION_SOCK_ADDR, place,
        MHD_OPTION_CONNECTION_LIMIT, 64u, MHD_OPTION_CONNECTION_TIMEOUT, 30u, MHD_OPTION_END);
}

/// The port that a server listens on; 0 if it cannot be told.
static inline uint16_t tw_mhd_port(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}
