/* harness/redact.c: no secret is written. */
#include <stdlib.h>

#include "check.h"
#include "common/buf.h"
#include "harness/redact.h"
#include "suites.h"

static void test_secrets_become_x(void)
{
    static const struct {
        const char *before, *after;
    } rows[] = {
        {"<body><auth xmlns='sasl' mechanism='PLAIN'>AGEAYg==</auth></body>",
         "<body><auth xmlns='sasl' mechanism='PLAIN'>xxxxxxxx</auth></body>"},
        {"<s:auth mechanism=\"PLAIN\">AGE=</s:auth>",
         "<s:auth mechanism=\"PLAIN\">xxxx</s:auth>"},
        {"<query><password>secret</password></query>",
         "<query><password>xxxxxx</password></query>"},
        {"<auth mechanism='SCRAM-SHA-1'>biws</auth>",
         "<auth mechanism='SCRAM-SHA-1'>xxxx</auth>"},
        {"<challenge xmlns='sasl'>cj0=</challenge><s:response>Yz1=</s:response>"
         "<success>dj0=</success>",
         "<challenge xmlns='sasl'>xxxx</challenge><s:response>xxxx</s:response>"
         "<success>xxxx</success>"},
        {"<auth mechanism='PLAIN'>AGE", "<auth mechanism='PLAIN'>xxx"},
        {"<success>dj\r\n10\r\n0=</success>",
         "<success>xx\r\n10\r\nxx</success>"},
        {"<digest>0b</digest><authenticated>a</authenticated><auth/>b",
         "<digest>xx</digest><authenticated>a</authenticated><auth/>b"},
        {"<message><body>PLAIN &lt; auth</body></message>",
         "<message><body>PLAIN &lt; auth</body></message>"},
        {"POST / HTTP/1.1\r\n\r\n<auth mechanism='PLAIN'", NULL},
        {"", NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = mem_dup(rows[i].before);

        redact(text, strlen(text));
        CHECK_STR(text, rows[i].after ? rows[i].after : rows[i].before);
        free(text);
    }
}

int suite_redact(void)
{
    CU_pSuite s = CU_add_suite("redact", NULL, NULL);

    return s && CU_ADD_TEST(s, test_secrets_become_x) ? 0 : -1;
}
