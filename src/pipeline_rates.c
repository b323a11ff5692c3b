/*
 * pipeline_rates.c: in charge of the names under which a report is counted (state/rate.h). They are
 * a stranger's choice: the state hashes them, and only so many recipients of one report count.
 */
#include "pipeline_rates.h"

#include "base/address.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "net/org_domain.h"

/* The network of the client that brought the report; NULL when it is not known, or of a host of our
 * own network. */
static const char *find_network(const void *context, const struct judgement *judgement)
{
	struct netaddr address;
	char *text;

	if (judgement->bounce->reporter.address == NULL ||
		!netaddr_parse(judgement->bounce->reporter.address, &address) ||
		netaddr_is_internal(&address))
		return NULL;
	text = mem_alloc(context, RATE_NETWORK_MAX);
	rate_network_format(&address, text);
	return text;
}

/* The organisation that the name in HELO is of, or the name itself where that is not known. */
static const char *find_helo(const void *context, const struct judgement *judgement)
{
	const char *helo = judgement->mail->envelope.client_helo, *name, *domain;
	struct netaddr address;

	if (helo == NULL || *helo == '\0' || netaddr_parse(helo, &address))
		return NULL;
	name = text_lower(context, helo);
	domain = org_domain_find(name);
	return domain == NULL ? name : domain;
}

static enum rate_class find_class(const struct config *config, const struct judgement *judgement)
{
	switch (weigh_verdict_without(config, &judgement->weighing, "storm")) {
	case VERDICT_GENUINE:
		return RATE_GENUINE;
	case VERDICT_BACKSCATTER:
		return RATE_BACKSCATTER;
	case VERDICT_UNPROVEN:
	case VERDICT_NONE:
	case VERDICT_COUNT:
		break;
	}
	return RATE_UNPROVEN;
}

static const struct storm_limits *find_limits(const void *context, const struct config *config)
{
	const struct limit_config *minimum = &config->storm.minimum;
	struct storm_limits *limits;

	if (config->storm.is_off)
		return NULL;
	limits = mem_new(context, struct storm_limits);
	limits->factor = config->storm.factor;
	limits->minimum_per_hour = minimum->count * 3600.0 / (double)minimum->period_s;
	return limits;
}

const struct rate_use *pipeline_find_rates(
	const void *context, const struct pipeline *pipeline, const struct judgement *judgement)
{
	const struct bounce *bounce = judgement->bounce;
	struct rate_use *use;

	if (!kind_is_judged(bounce->kind))
		return NULL;
	use = mem_new(context, struct rate_use);
	use->class = find_class(pipeline->config, judgement);
	use->network = find_network(context, judgement);
	use->helo = find_helo(context, judgement);
	for (size_t i = 0; i < bounce->recipient_count && i < RATE_RECIPIENTS_MAX; i++) {
		char *address = address_normalise(context, bounce->recipients[i].address);
		if (address != NULL)
			use->recipients[use->recipient_count++] = address;
	}
	use->limits = find_limits(context, pipeline->config);
	return use;
}

static void log_change(enum storm_change change, const char *where)
{
	static const char *const words[] = {[STORM_BEGAN] = "began", [STORM_ENDED] = "ended"};

	if (change != STORM_SAME)
		log_warning("a storm of reports that are not proven genuine %s: %s; see 'backstop "
			    "report storms'",
			words[change], where);
}

void pipeline_log_storms(const struct event *event)
{
	log_change(event->list_storm, event->list == NULL ? "-" : event->list);
	log_change(event->host_storm, "the host as a whole");
}
