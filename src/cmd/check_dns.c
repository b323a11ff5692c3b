/*
 * check_dns.c: in charge of what the configuration says of DNS, and, when that is asked for, of
 * what DNS says: whether the servers answer, and whether what the checks would ask for is there.
 *
 * Selectors of DKIM keys are not asked for: which ones there are only signatures tell.
 */
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/memory.h"
#include "cmd/check_parts.h"
#include "net/dns_list.h"
#include "net/resolver.h"
#include "net/spf.h"

/* Each question has the whole budget: nobody waits for a delivery here. */
static void ask(struct survey *survey, struct resolver *resolver, const char *name,
	enum dns_type type, struct dns_answer *answer_out)
{
	resolver_begin_message(resolver);
	resolver_ask(resolver, survey->context, name, type, answer_out);
}

static void check_program(struct survey *survey)
{
	const char *standard;

	if (spf_find_program(survey->context, &standard) == NULL)
		check_warn(survey,
			"the helper program of SPF is not there or cannot be run: %s; without it "
			"no check asks for SPF",
			standard);
}

static void state_settings(struct survey *survey)
{
	const struct dns_config *dns = &survey->config->dns;
	char *servers = mem_strdup(survey->context, "");

	if (dns->is_off) {
		check_fact(survey, "dns: nobody is asked");
		return;
	}
	for (size_t i = 0; i < dns->server_count; i++)
		servers = mem_append(servers, "%s%s", i == 0 ? "" : ", ", dns->servers[i]);
	check_fact(survey, "dns: servers %s, timeout %ds, budget %ds",
		dns->server_count == 0 ? "of /etc/resolv.conf" : servers, (int)dns->timeout_s,
		(int)dns->budget_s);
	for (size_t i = 0; i < survey->config->blocklist_count; i++)
		check_fact(survey, "blocklist %s: weight %d", survey->config->blocklists[i].name,
			survey->config->blocklists[i].weight);
	check_program(survey);
}

/* A name that is not there, of which every resolver knows it (RFC 6761 section 6.4). */
static bool check_servers(struct survey *survey, struct resolver *resolver)
{
	struct dns_answer answer;

	ask(survey, resolver, "invalid", DNS_A, &answer);
	if (answer.outcome == DNS_FAILED) {
		check_fault(survey, "dns: %s", answer.why);
		return false;
	}
	if (answer.outcome == DNS_FOUND)
		check_warn(survey, "dns: the servers answer for names that do not exist: what DNS "
				   "lists say cannot be told");
	return true;
}

/* RFC 7208 section 4.5 */
static bool is_spf_record(const struct dns_record *record)
{
	static const char version[] = "v=spf1";
	size_t size = sizeof version - 1;

	return record->text != NULL && strncasecmp(record->text, version, size) == 0 &&
	       (record->text[size] == '\0' || record->text[size] == ' ');
}

static void check_spf(
	struct survey *survey, struct resolver *resolver, const struct domain_config *domain)
{
	struct dns_answer answer;
	size_t count = 0;

	ask(survey, resolver, domain->name, DNS_TXT, &answer);
	for (size_t i = 0; i < answer.count; i++)
		count += is_spf_record(&answer.records[i]);
	if (answer.outcome == DNS_FAILED)
		check_warn(survey, "domain %s: its SPF record could not be asked for: %s",
			domain->name, answer.why);
	else if (count == 1)
		check_fact(survey, "domain %s: there is an SPF record", domain->name);
	else if (domain->sender_count == 0)
		check_fault(survey,
			"%s:%d: domain %s: no senders and %s: the check hop cannot tell",
			survey->config_path, domain->line, domain->name,
			count == 0 ? "no SPF record" : "several SPF records");
	else if (count == 0)
		check_fact(survey, "domain %s: there is no SPF record", domain->name);
	else
		check_warn(survey, "domain %s: there are several SPF records, which is none",
			domain->name);
}

static void check_mx(
	struct survey *survey, struct resolver *resolver, const struct domain_config *domain)
{
	struct dns_answer answer;

	ask(survey, resolver, domain->name, DNS_MX, &answer);
	if (answer.outcome == DNS_FAILED)
		check_warn(survey, "domain %s: its MX could not be asked for: %s", domain->name,
			answer.why);
	else if (answer.outcome == DNS_FOUND)
		check_fact(survey, "domain %s: MX %s", domain->name,
			*answer.records[0].text == '\0' ? "." : answer.records[0].text);
	else
		check_fact(survey, "domain %s: no MX", domain->name);
}

/* Where nothing is below _domainkey, there can be no key for any selector (RFC 8020). */
static void check_dkim(
	struct survey *survey, struct resolver *resolver, const struct domain_config *domain)
{
	for (size_t i = 0; i < domain->dkim_key_count; i++) {
		const struct dkim_key_config *key = &domain->dkim_keys[i];
		const char *signer = key->domain == NULL ? domain->name : key->domain;
		struct dns_answer answer;

		if (key->path != NULL)
			continue;
		ask(survey, resolver, mem_printf(survey->context, "_domainkey.%s", signer), DNS_TXT,
			&answer);
		if (answer.outcome == DNS_NO_DOMAIN)
			check_warn(survey,
				"domain %s: dkim-keys: there is no key of %s in DNS: _domainkey.%s "
				"does not exist",
				domain->name, signer, signer);
		else if (answer.outcome == DNS_FAILED)
			check_warn(survey, "domain %s: dkim-keys: _domainkey.%s: %s", domain->name,
				signer, answer.why);
	}
}

/* RFC 5782 section 5: each list has 127.0.0.2 in it. */
static void check_list(
	struct survey *survey, struct resolver *resolver, const struct blocklist_config *list)
{
	static const struct netaddr test = {{[10] = 0xFF, 0xFF, 127, 0, 0, 2}};
	const char *why;

	resolver_begin_message(resolver);
	switch (dns_list_ask(resolver, survey->context, list->name, &test, &why)) {
	case DNS_LIST_PRESENT:
		check_fact(survey, "blocklist %s: answers", list->name);
		return;
	case DNS_LIST_ABSENT:
		check_warn(survey,
			"%s:%d: blocklist %s: its test address 127.0.0.2 is not listed: it is no "
			"DNS list, or is out of service",
			survey->config_path, list->line, list->name);
		return;
	case DNS_LIST_UNAVAILABLE:
		check_warn(survey, "%s:%d: blocklist %s: %s", survey->config_path, list->line,
			list->name, why);
		return;
	}
}

static void ask_all(struct survey *survey)
{
	const struct config *config = survey->config;
	const struct resolver_options options = {.servers = config->dns.servers,
		.server_count = config->dns.server_count,
		.timeout_ms = (int)config->dns.timeout_s * 1000,
		.budget_ms = (int)config->dns.budget_s * 1000};
	struct resolver *resolver = resolver_new(survey->context, &options, NULL);

	if (check_servers(survey, resolver)) {
		for (size_t i = 0; i < config->domain_count; i++) {
			check_spf(survey, resolver, &config->domains[i]);
			check_mx(survey, resolver, &config->domains[i]);
			check_dkim(survey, resolver, &config->domains[i]);
		}
		for (size_t i = 0; i < config->blocklist_count; i++)
			check_list(survey, resolver, &config->blocklists[i]);
	}
	mem_free(resolver);
}

void check_dns(struct survey *survey, bool is_asked)
{
	state_settings(survey);
	if (is_asked && survey->config->dns.is_off)
		check_note(survey, "dns: with use = no nobody is asked, here neither");
	else if (is_asked)
		ask_all(survey);
}
