/* Refusals in words; see refusal.h. */
#include "refusal.h"

#include <stddef.h>
#include <support/text.h>

struct refusal {
    unsigned code;
    const char *name, *words;
};

static const struct refusal refusals[] = {
    {1, "FORMERR",
     "the server cannot read the message: is it a name server that takes updates, and has it the "
     "record's type?"},
    {2, "SERVFAIL",
     "the server failed at it, and its log says why: a zone that is frozen or expired, a journal "
     "that cannot be written, or a primary that a secondary cannot reach"},
    {3, "NXDOMAIN",
     "the server has no such name, and wants it to be there: its rules for updates say why"},
    {4, "NOTIMP",
     "the server takes no updates: give that of the zone's primary in server.address, and see that "
     "it has dynamic updates (RFC 2136) switched on"},
    {5, "REFUSED",
     "the server does not let this key, or an update without one, change this name and type: allow "
     "it in the zone's update-policy, allow-update or acl, or give the right server.tsig"},
    {6, "YXDOMAIN",
     "a name is there that must not be: somebody else registered it; choose another "
     "name, or remove that one"},
    {7, "YXRRSET",
     "a record is there that must not be: somebody else registered it; choose "
     "another name, or remove that one"},
    {8, "NXRRSET", "the record is not as it must be: somebody else has changed or removed it"},
    {9, "NOTAUTH",
     "the server is not the authority of the zone: give that of the zone's primary in "
     "server.address, and check server.zone"},
    {10, "NOTZONE", "the name is not within the zone: check server.zone"},
    {REFUSAL_BADSIG, "BADSIG",
     "the signature is not that of the server's key: server.tsig.secret is another one, or its "
     "algorithm is"},
    {REFUSAL_BADKEY, "BADKEY",
     "the server does not know the key: check server.tsig.name, and that the server has it for "
     "this algorithm"},
    {REFUSAL_BADTIME, "BADTIME", "the clocks of this machine and of the server differ: set them"},
    {REFUSAL_BADTRUNC, "BADTRUNC", "the server wants a longer signature: it is set up wrongly"},
};

static const struct refusal *find(unsigned code)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        if (refusals[i].code == code)
            return &refusals[i];
    }
    return NULL;
}

char *refusal_name(unsigned code)
{
    const struct refusal *refusal = find(code);

    return refusal ? text_format("%s", refusal->name) : text_format("RCODE %u", code);
}

char *refusal_words(unsigned code)
{
    const struct refusal *refusal = find(code);

    if (refusal)
        return text_format("%s: %s", refusal->name, refusal->words);
    return text_format("RCODE %u: a refusal that is not known here; the server's log may say more",
                       code);
}
