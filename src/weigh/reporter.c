/*
 * reporter.c: in charge of what is known of the client that brought the report, whatever it says:
 * SPF of its HELO name (a report has no sender: RFC 7208 section 2.4) and DNS lists. Our own mail
 * server's finding on the HELO is used before anyone is asked.
 *
 * And what its earlier reports were, its name (state/reputation.h).
 *
 * Little of it counts, and a listing alone decides nothing: large providers relay genuine reports
 * and backscatter alike, and are listed for the latter.
 */
#include <string.h>

#include "base/memory.h"
#include "net/dns_list.h"
#include "net/spf.h"
#include "read/auth_results.h"
#include "state/record.h"
#include "weigh/weigh.h"

#define ALL_MAX 15	/* of all that is found here */
#define MIXED_SHARE 0.1 /* of either kind: both kinds come from there */
#define LISTS_MAX 10	/* decibans, either way, of all lists together: they decide nothing alone */

/* Our own server's finding on the name in HELO: "pass", "fail"..., or NULL. */
static const char *find_noted(const void *context, const struct weigh_input *input)
{
	struct auth_result *results = mem_new_array(context, struct auth_result, AUTH_RESULTS_MAX);
	size_t count = auth_results_read(context, &input->mail->headers,
		input->config->authserv_ids, input->config->authserv_id_count, results);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(results[i].method, "spf") == 0 &&
			strcmp(results[i].property, "smtp.helo") == 0)
			return results[i].result;
	}
	return NULL;
}

/* What SPF says of the HELO name; NULL when it was not asked or gave no answer. */
static const char *find_helo(const void *context, const struct weigh_input *input)
{
	const struct envelope *envelope = &input->mail->envelope;
	const struct spf_question question = {
		.client = envelope->client, .helo = envelope->client_helo};
	const char *noted = find_noted(context, input), *why;
	enum spf_result result;

	if (noted != NULL)
		return noted;
	if (input->resolver == NULL || envelope->client_helo == NULL)
		return NULL;
	result = spf_check(input->resolver, context, &question, &why);
	return result == SPF_UNAVAILABLE || result == SPF_TEMPERROR ? NULL
								    : spf_result_name(result);
}

/* What the lists that the configuration names weigh together, and which of them have the client. */
static int ask_lists(const void *context, const struct weigh_input *input, char **names_out,
	bool *has_failed_out)
{
	const struct config *config = input->config;
	int sum = 0;

	*names_out = mem_strdup(context, "");
	*has_failed_out = false;
	for (size_t i = 0; i < config->blocklist_count && input->resolver != NULL; i++) {
		const struct blocklist_config *list = &config->blocklists[i];
		const char *why;
		enum dns_list_result result = dns_list_ask(
			input->resolver, context, list->name, &input->mail->envelope.client, &why);
		*has_failed_out |= result == DNS_LIST_UNAVAILABLE;
		if (result != DNS_LIST_PRESENT)
			continue;
		sum += list->weight;
		*names_out =
			mem_append(*names_out, "%s%s", **names_out == '\0' ? "" : ", ", list->name);
	}
	return sum;
}

static int bound(int sum, int most)
{
	if (sum > most)
		return most;
	return sum < -most ? -most : sum;
}

/* True when what the checks before this one saw speaks against the report: backscatter comes from
 * servers with a good name, above all when a list's name is forged for the first time. */
static bool is_doubted(const struct weigh_input *input)
{
	struct weighing so_far = {.count = 0};

	if (input->so_far != NULL)
		so_far = *input->so_far;
	weigh_add_up(&so_far);
	return so_far.score < 0;
}

/* Its name in words; share: of genuine reports. */
static const char *describe_name(const void *context, double share, int weight, bool is_outweighed)
{
	const char *rest = "";

	if (is_outweighed)
		rest = "; what was found speaks against the report, so it counts for nothing";
	else if (weight == 0 && share >= MIXED_SHARE && share <= 1 - MIXED_SHARE)
		rest = "; both kinds come from there, so it counts for nothing";
	else if (weight == 0)
		rest = ", but too few to count";
	return mem_printf(context, "of what it reported lately, about %.0f %% was genuine%s",
		100 * share, rest);
}

/* What its earlier reports weigh, of what they can weigh at most; words_out: for people, NULL where
 * nothing is known. */
static int find_name(const void *context, const struct weigh_input *input, const char **words_out)
{
	char address[NETADDR_TEXT_MAX];
	struct counter *counter = NULL;
	int weight, most = REPUTATION_MAX;
	double share;
	bool is_outweighed;

	*words_out = NULL;
	netaddr_format(&input->mail->envelope.client, address);
	if (input->state == NULL || record_find_counter(input->state, context, COUNTER_REPORTER,
					    address, &counter) != STATUS_OK)
		return 0;
	share = reputation_share(&counter->reputation);
	if (share < 0)
		return 0;
	weight = reputation_weight(&counter->reputation, input->now);
	is_outweighed = weight > 0 && is_doubted(input);
	*words_out = describe_name(context, share, weight, is_outweighed);
	if (is_outweighed)
		return 0;
	if (weight != 0)
		weigh_find_weight(
			input->config, "reporter", weight > 0 ? "good-name" : "bad-name", &most);
	most = bound(most < 0 ? -most : most, REPUTATION_MAX);
	return weight * most / REPUTATION_MAX;
}

/* The sentence for people. */
static const char *describe(
	const void *context, const char *helo, const char *names, const char *name)
{
	char *text = mem_strdup(context, "");

	if (helo != NULL)
		text = mem_printf(context, "SPF of its HELO name: %s", helo);
	if (*names != '\0')
		text = mem_append(text, "%slisted by %s", *text == '\0' ? "" : "; ", names);
	if (name != NULL)
		text = mem_append(text, "%s%s", *text == '\0' ? "" : "; ", name);
	return text;
}

void reporter_weigh(
	const void *context, const struct weigh_input *input, struct evidence *evidence_out)
{
	const struct netaddr *client = &input->mail->envelope.client;
	const char *helo;
	char *names;
	const char *words;
	bool has_failed;
	int lists, name, sum = 0;

	evidence_out->result = "unavailable";
	if (!input->mail->envelope.has_client || netaddr_is_internal(client)) {
		evidence_out->detail = "it is not known who brought the report";
		return;
	}
	helo = find_helo(context, input);
	lists = bound(ask_lists(context, input, &names, &has_failed), LISTS_MAX);
	name = find_name(context, input, &words);
	if (helo != NULL && strcmp(helo, "fail") == 0)
		evidence_out->result = "helo-fail";
	else if (*names == '\0' && name != 0)
		evidence_out->result = name > 0 ? "good-name" : "bad-name";
	else if (helo != NULL && strcmp(helo, "pass") == 0)
		evidence_out->result = "helo-pass";
	else if (*names != '\0')
		evidence_out->result = "listed";
	else if (helo != NULL || words != NULL ||
		 (input->config->blocklist_count > 0 && input->resolver != NULL && !has_failed))
		evidence_out->result = "plain";
	evidence_out->detail = strcmp(evidence_out->result, "unavailable") == 0
				       ? "nothing could be found out about who brought the report"
				       : describe(context, helo, names, words);
	if (*evidence_out->detail == '\0')
		evidence_out->detail = "it is in none of the DNS lists";
	if (helo != NULL && strcmp(helo, "fail") == 0)
		weigh_find_weight(input->config, "reporter", "helo-fail", &sum);
	if (helo != NULL && strcmp(helo, "pass") == 0)
		weigh_find_weight(input->config, "reporter", "helo-pass", &sum);
	evidence_out->weight = bound(sum + lists + name, ALL_MAX);
	evidence_out->has_weight = true;
	evidence_out->is_supporting = true;
	evidence_out->is_forgeable = name > 0; /* who gets our post can earn it */
}
