/*
 * libcurl for http.c and its kin, who include this instead of <curl/curl.h>: loaded by the first
 * call of any of its functions.
 *
 * It comes with thirty libraries, and loading them takes 9 ms, beside 1 ms for a module without
 * it. Most modules that may make a request seldom do; so none is linked with libcurl.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BOOTLACE_SUPPORT_CURL_LATE_H
#define BOOTLACE_SUPPORT_CURL_LATE_H

#include <curl/curl.h>

/* DO(name) for each function that is used, but for those of a variable number of arguments: they
 * are defined in curl_late.c, so that curl.h's checks of their arguments stay in place. */
#define CURL_LATE_EACH(DO)                                                                         \
    DO(easy_cleanup)                                                                               \
    DO(easy_init)                                                                                  \
    DO(easy_reset)                                                                                 \
    DO(easy_strerror)                                                                              \
    DO(free)                                                                                       \
    DO(getdate)                                                                                    \
    DO(global_init)                                                                                \
    DO(multi_add_handle)                                                                           \
    DO(multi_cleanup)                                                                              \
    DO(multi_info_read)                                                                            \
    DO(multi_init)                                                                                 \
    DO(multi_perform)                                                                              \
    DO(multi_poll)                                                                                 \
    DO(multi_remove_handle)                                                                        \
    DO(slist_append)                                                                               \
    DO(slist_free_all)                                                                             \
    DO(url)                                                                                        \
    DO(url_cleanup)                                                                                \
    DO(url_get)                                                                                    \
    DO(url_set)                                                                                    \
    DO(version_info)

#define CURL_LATE_MEMBER(name) __typeof__(curl_##name) *name;
struct curl_late {
    CURL_LATE_EACH(CURL_LATE_MEMBER)
};
#undef CURL_LATE_MEMBER

/* libcurl's functions. Without libcurl the module ends, and its log says what to install. */
const struct curl_late *curl_late(void);

#define curl_easy_cleanup curl_late()->easy_cleanup
#define curl_easy_init curl_late()->easy_init
#define curl_easy_reset curl_late()->easy_reset
#define curl_easy_strerror curl_late()->easy_strerror
#define curl_free curl_late()->free
#define curl_getdate curl_late()->getdate
#define curl_global_init curl_late()->global_init
#define curl_multi_add_handle curl_late()->multi_add_handle
#define curl_multi_cleanup curl_late()->multi_cleanup
#define curl_multi_info_read curl_late()->multi_info_read
#define curl_multi_init curl_late()->multi_init
#define curl_multi_perform curl_late()->multi_perform
#define curl_multi_poll curl_late()->multi_poll
#define curl_multi_remove_handle curl_late()->multi_remove_handle
#define curl_slist_append curl_late()->slist_append
#define curl_slist_free_all curl_late()->slist_free_all
#define curl_url curl_late()->url
#define curl_url_cleanup curl_late()->url_cleanup
#define curl_url_get curl_late()->url_get
#define curl_url_set curl_late()->url_set
#define curl_version_info curl_late()->version_info

#endif
