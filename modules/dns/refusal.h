/* What a name server's refusals mean, and what to do about each. */
#ifndef DNS_REFUSAL_H
#define DNS_REFUSAL_H

/* Of RFC 8945, 3 and 5.2: a TSIG record's error, beside NOTAUTH. */
enum refusal_tsig {
    REFUSAL_BADSIG = 16,
    REFUSAL_BADKEY = 17,
    REFUSAL_BADTIME = 18,
    REFUSAL_BADTRUNC = 22
};

/* Its name: "REFUSED". The caller's. */
char *refusal_name(unsigned code);

/* The code of a refusal (RFC 2136, 2.2, or one of the above), in a sentence. The caller's. */
char *refusal_words(unsigned code);

#endif
