/* dkim_dns.c: in charge of asking DNS for the record of a DKIM key (RFC 6376 section 3.6.2). */
#include <string.h>

#include "weigh/dkim.h"

/* Several records at one name are an error of the signer's; the one that is a key is meant. */
static enum dns_outcome find(
	void *argument, const void *context, const char *name, const char **text_out)
{
	struct dns_answer answer;

	resolver_ask(argument, context, name, DNS_TXT, &answer);
	if (answer.outcome != DNS_FOUND)
		return answer.outcome;
	for (size_t i = 0; i < answer.count; i++) {
		if (answer.records[i].text != NULL &&
			strstr(answer.records[i].text, "p=") != NULL) {
			*text_out = answer.records[i].text;
			return DNS_FOUND;
		}
	}
	return DNS_NO_DATA;
}

void dkim_records_open(struct resolver *resolver, struct dkim_records *records_out)
{
	*records_out = (struct dkim_records){find, resolver};
}
