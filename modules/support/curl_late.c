/* Loading libcurl when it is needed; see curl_late.h. */
#include <support/curl_late.h>

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NO_LIBRARY_EXIT = 70 };

/* See "Core TLS API, initialization" in GnuTLS' manual: libldap and librtmp drag it in, nothing
 * here uses it, and its constructor takes 1 ms. */
static const char forgo_gnutls[] = "GNUTLS_NO_IMPLICIT_INIT";

/* The builds of it with OpenSSL, GnuTLS and NSS, which have the one interface. */
static const char *const file_names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl-nss.so.4"};

static struct {
    struct curl_late functions;
    CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
    CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
    CURLMcode (*multi_setopt)(CURLM *, CURLMoption, ...);
} loaded;

static void refuse(void)
{
    const char *why = dlerror();

    fprintf(stderr, "libcurl cannot be loaded (%s): install the package libcurl4\n",
            why ? why : "no reason given");
    _exit(NO_LIBRARY_EXIT);
}

static void *find(void *library, const char *name)
{
    void *function = dlsym(library, name);

    if (!function)
        refuse();
    return function;
}

static void load(void)
{
    void *library = NULL;

    setenv(forgo_gnutls, "1", 1);
    for (size_t i = 0; i < sizeof file_names / sizeof *file_names && !library; i++)
        library = dlopen(file_names[i], RTLD_LAZY | RTLD_LOCAL);
    unsetenv(forgo_gnutls);
    if (!library)
        refuse();
        /* Never closed: libcurl and OpenSSL register what runs at the process' end. */
#define FIND(name) *(void **)&loaded.functions.name = find(library, "curl_" #name);
    CURL_LATE_EACH(FIND)
    *(void **)&loaded.easy_setopt = find(library, "curl_easy_setopt");
    *(void **)&loaded.easy_getinfo = find(library, "curl_easy_getinfo");
    *(void **)&loaded.multi_setopt = find(library, "curl_multi_setopt");
}

const struct curl_late *curl_late(void)
{
    if (!loaded.multi_setopt)
        load();
    return &loaded.functions;
}

/*
 * In brackets, for they are macros, too. An option's number tells what its value is: a long, a
 * pointer, a curl_off_t, or a pointer again; a handle in hand says that libcurl is loaded.
 */

static CURLcode set_easy(CURL *easy, CURLoption option, va_list value)
{
    if ((int)option < CURLOPTTYPE_OBJECTPOINT)
        return loaded.easy_setopt(easy, option, va_arg(value, long));
    if ((int)option >= CURLOPTTYPE_OFF_T && (int)option < CURLOPTTYPE_BLOB)
        return loaded.easy_setopt(easy, option, va_arg(value, curl_off_t));
    return loaded.easy_setopt(easy, option, va_arg(value, void *));
}

CURLcode(curl_easy_setopt)(CURL *easy, CURLoption option, ...)
{
    va_list value;
    CURLcode code;

    va_start(value, option);
    code = set_easy(easy, option, value);
    va_end(value);
    return code;
}

CURLcode(curl_easy_getinfo)(CURL *easy, CURLINFO info, ...)
{
    va_list out;
    CURLcode code;

    va_start(out, info);
    code = loaded.easy_getinfo(easy, info, va_arg(out, void *));
    va_end(out);
    return code;
}

CURLMcode(curl_multi_setopt)(CURLM *multi, CURLMoption option, ...)
{
    va_list value;
    CURLMcode code;

    va_start(value, option);
    code = (int)option < CURLOPTTYPE_OBJECTPOINT
               ? loaded.multi_setopt(multi, option, va_arg(value, long))
               : loaded.multi_setopt(multi, option, va_arg(value, void *));
    va_end(value);
    return code;
}
