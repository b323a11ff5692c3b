/*
 * pipeline.c: in charge of the order of the stages and of introducing them to each other. What each
 * stage knows is its own business; what is done with the result is pipeline_act.c's.
 */
#include "pipeline.h"

#include <string.h>

#include "act/act.h"
#include "base/address.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "classify/classify.h"
#include "net/resolver.h"
#include "state/dns_cache.h"
#include "state/owed.h"

/* A key file, read once a run however many messages need it. */
struct pipeline_keys {
	const char *path;
	bool is_prvs;
	struct tag_keys *keys;
	struct prvs_keys *prvs; /* of a file of prvs-keys */
	const char *problem;
	struct pipeline_keys *next;
};

struct pipeline *pipeline_new(const void *context, const struct config *config, struct state *state)
{
	struct pipeline *pipeline = mem_new(context, struct pipeline);
	const struct record_policy policy = {
		config->events_lifetime_s, config->rollups_lifetime_s, config->privacy};

	pipeline->context = pipeline;
	pipeline->config = config;
	pipeline->state = state;
	if (state != NULL)
		record_set_policy(state, &policy);
	return pipeline;
}

/* ---- net/ and state/ do not know each other ---- */

static bool find_answer(void *argument, const void *context, const char *name, enum dns_type type,
	const void **data_out, size_t *size_out)
{
	const struct pipeline *pipeline = argument;

	return dns_cache_find(
		pipeline->state, context, name, (unsigned)type, clock_now(), data_out, size_out);
}

static void store_answer(void *argument, const char *name, enum dns_type type, const void *data,
	size_t size, int64_t ttl_s)
{
	const struct pipeline *pipeline = argument;

	dns_cache_add(pipeline->state, name, (unsigned)type, data, size, clock_now() + ttl_s);
}

void pipeline_use_dns(struct pipeline *pipeline)
{
	const struct dns_config *dns = &pipeline->config->dns;
	struct resolver_options *options;

	if (dns->is_off || pipeline->resolver != NULL)
		return;
	options = mem_new(pipeline, struct resolver_options);
	options->servers = dns->servers;
	options->server_count = dns->server_count;
	options->timeout_ms = (int)dns->timeout_s * 1000;
	options->budget_ms = (int)dns->budget_s * 1000;
	if (pipeline->state != NULL)
		options->cache = (struct resolver_cache){find_answer, store_answer, pipeline};
	pipeline->resolver = resolver_new(pipeline, options, NULL);
}

static const struct pipeline_keys *find_keys(
	struct pipeline *pipeline, const char *path, bool is_prvs)
{
	for (struct pipeline_keys *keys = pipeline->keys; keys != NULL; keys = keys->next) {
		if (keys->is_prvs == is_prvs && strcmp(keys->path, path) == 0)
			return keys;
	}
	struct pipeline_keys *keys = mem_new(pipeline->context, struct pipeline_keys);
	keys->path = path;
	keys->is_prvs = is_prvs;
	if (is_prvs)
		prvs_keys_read(keys, path, &keys->prvs, &keys->problem);
	else
		tag_keys_read(keys, path, &keys->keys, &keys->problem);
	keys->next = pipeline->keys;
	pipeline->keys = keys;
	return keys;
}

/* The list and the domain that the message came in for. */
static void find_place(
	const struct config *config, const struct envelope *envelope, struct judgement *judgement)
{
	bool is_hearsay = envelope->is_original_hearsay;
	const char *addresses[] = {
		is_hearsay ? envelope->recipient : envelope->original_recipient,
		is_hearsay ? envelope->original_recipient : envelope->recipient,
	};

	for (size_t i = 0; i < 2; i++) {
		if (addresses[i] == NULL || address_domain(addresses[i]) == NULL)
			continue;
		if (judgement->list == NULL)
			judgement->list = config_find_list(config, addresses[i]);
		if (judgement->domain == NULL)
			judgement->domain = config_find_domain_of(config, addresses[i]);
	}
}

/* Offline there is often no envelope: then the To field says who got it, which is good enough to
 * choose a list by, not to believe anything by. */
static void find_place_by_header(const void *context, const struct config *config,
	const struct mail *mail, struct judgement *judgement)
{
	size_t count;
	char **addresses = header_addresses(context, headers_find(&mail->headers, "To"), &count);

	for (size_t i = 0; i < count && judgement->domain == NULL; i++) {
		struct envelope envelope = {.recipient = addresses[i]};
		find_place(config, &envelope, judgement);
	}
}

/* True when the message, or the one that it returns, was sent by us. What we send has the null
 * sender: a post that carries our header by somebody's doing has not. */
static bool is_own(const struct mail *mail, const struct bounce *bounce)
{
	const char *sender = bounce->original.return_path;
	const char *author = bounce->original.from;
	bool has_null_sender = (sender != NULL && *sender == '\0') ||
			       (author != NULL && text_starts_fold(author, "mailer-daemon@"));

	return headers_find(&mail->headers, ACT_LOOP_HEADER) != NULL ||
	       (has_null_sender &&
		       headers_find(&bounce->original.headers, ACT_LOOP_HEADER) != NULL);
}

/* The key files of the domain that the report came to. */
static void add_keys(struct pipeline *pipeline, struct weigh_input *input)
{
	const struct domain_config *domain = input->domain;

	if (domain != NULL && domain->tag_keys != NULL) {
		const struct pipeline_keys *keys = find_keys(pipeline, domain->tag_keys, false);
		input->tag_keys = keys->keys;
		input->tag_problem = keys->problem;
	}
	if (domain != NULL && domain->prvs_keys != NULL) {
		const struct pipeline_keys *keys = find_keys(pipeline, domain->prvs_keys, true);
		input->prvs_keys = keys->prvs;
		input->prvs_problem = keys->problem;
	}
}

/* A state that cannot say so has no limit. */
static bool is_over_limit(
	const struct pipeline *pipeline, const struct list_config *list, int64_t now)
{
	void *context;
	struct owed *owed = NULL;
	bool result;

	if (pipeline->state == NULL || list == NULL || list->owner_limit.count == 0)
		return false;
	context = mem_context(NULL, "owed");
	result = owed_find(pipeline->state, context, list->address, &owed) == STATUS_OK &&
		 owed_sent(owed, now) >= (uint64_t)list->owner_limit.count;
	mem_free(context);
	return result;
}

void pipeline_judge(struct pipeline *pipeline, const void *context, struct bytes raw,
	const struct envelope *envelope, struct judgement *judgement_out)
{
	struct judgement *judgement = judgement_out;
	struct weigh_input input = {.config = pipeline->config, .state = pipeline->state};
	struct dkim_records records;

	memset(judgement, 0, sizeof(*judgement));
	judgement->mail = mail_read(context, raw, envelope);
	judgement->bounce = classify_mail(context, judgement->mail);
	find_place(pipeline->config, &judgement->mail->envelope, judgement);
	if (envelope_address(&judgement->mail->envelope) == NULL)
		find_place_by_header(context, pipeline->config, judgement->mail, judgement);

	input.mail = judgement->mail;
	input.bounce = judgement->bounce;
	input.domain = judgement->domain;
	input.list = judgement->list;
	input.rosters = pipeline->rosters;
	input.now = pipeline->now != 0 ? pipeline->now : clock_now();
	add_keys(pipeline, &input);
	if (pipeline->resolver != NULL) {
		resolver_begin_message(pipeline->resolver);
		input.resolver = pipeline->resolver;
		dkim_records_open(pipeline->resolver, &records);
		input.dkim_records = &records;
	}
	weigh_bounce(context, &input, &judgement->weighing);

	/* The check has looked already; what is not judged has none. */
	const char *storm = weigh_find_result(&judgement->weighing, "storm");
	judgement->is_storm =
		judgement->list != NULL && storm != NULL && strcmp(storm, "storm") == 0;

	struct decide_input question = {
		.kind = judgement->bounce->kind,
		.verdict = judgement->weighing.verdict,
		.mode = pipeline->config->mode,
		.list = judgement->list,
		.is_looping = is_own(judgement->mail, judgement->bounce),
		.is_storm = judgement->is_storm,
		.is_storm_alone =
			judgement->is_storm && judgement->weighing.verdict == VERDICT_UNPROVEN &&
			weigh_verdict_without(pipeline->config, &judgement->weighing, "storm") ==
				VERDICT_GENUINE,
		.is_over_limit = is_over_limit(pipeline, judgement->list, input.now),
	};
	judgement->decision = decide_action(&question);
}
