/*
 * kinds.c: in charge of mail that a program wrote and that is no bounce: automatic replies,
 * challenges, virus notices, complaints, receipts. What marks them are the rules of kinds.rules.
 *
 * They are asked in two turns: rules that say "early" before the dialects, because such a notice
 * may quote a bounce or read like one; the others behind them, because a bounce may carry the marks
 * of an automatic reply (RFC 3834 gives it the same field) or quote one.
 *
 * Two kinds of rules are exceptions. "kind ordinary" ends the questions: the message is nobody's
 * answer, whatever words of bounces it has. "kind failed" knows the words of a refusal: where it
 * fits, the generic rules are asked before the kinds below it.
 */
#include "base/memory.h"
#include "classify/dialect.h"
#include "classify/reader.h"
#include "classify/rule_set.h"

#define MESSAGE_ID_MAX 20

/* What is known of each recipient by the kind alone. */
static const struct {
	enum kind kind;
	enum reason reason;
	const char *action;
} implied[] = {
	{KIND_FEEDBACK, REASON_FEEDBACK, NULL},
	{KIND_DELIVERED, REASON_DELIVERED, "delivered"},
	{KIND_VIRUSNOTICE, REASON_VIRUSDETECTED, NULL},
};

bool kinds_is_early(const struct rule *rule)
{
	for (size_t i = 0; i < rule->line_count; i++) {
		if (rule->lines[i].part == RULE_EARLY)
			return true;
	}
	return false;
}

/* Which messages it says that it answers. */
static void add_ids(const void *context, const struct mail *mail, struct bounce *bounce)
{
	static const char *const names[] = {"In-Reply-To", "References"};

	bounce->message_ids = mem_new_array(context, char *, MESSAGE_ID_MAX);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t count;
		char **ids =
			header_message_ids(context, headers_find(&mail->headers, names[i]), &count);
		for (size_t k = 0; k < count && bounce->message_id_count < MESSAGE_ID_MAX; k++)
			bounce->message_ids[bounce->message_id_count++] = ids[k];
	}
}

static void add_recipients(const void *context, const struct rule *rule, struct evidence_text *text,
	struct bounce *bounce)
{
	dialect_name_recipients(context, rule, text, bounce);
	struct recipient *recipients = mem_memdup(
		context, bounce->recipients, bounce->recipient_count * sizeof(*bounce->recipients));
	for (size_t i = 0; i < bounce->recipient_count; i++) {
		for (size_t k = 0; k < sizeof(implied) / sizeof(implied[0]); k++) {
			if (implied[k].kind != rule->kind)
				continue;
			recipients[i].reason = implied[k].reason;
			recipients[i].action = implied[k].action;
		}
	}
	bounce->recipients = recipients;
}

static void fill_in(const void *context, const struct rule *rule, struct evidence_text *text,
	struct bounce *bounce)
{
	bounce->kind = rule->kind;
	bounce->rule = rule;
	if (rule->kind == KIND_ORDINARY)
		return;
	bounce->dialect = rule->name;
	add_ids(context, text->mail, bounce);
	add_recipients(context, rule, text, bounce);
}

static bool read_kinds(
	const void *context, struct evidence_text *text, bool is_early_turn, struct bounce *bounce)
{
	const struct rules *rules = rule_set_find("kinds.rules");

	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->items[i];
		if (rule->type != RULE_KIND || kinds_is_early(rule) != is_early_turn ||
			!evidence_fits(rule, text))
			continue;
		if (rule->kind != KIND_FAILED) {
			fill_in(context, rule, text, bounce);
			return true;
		}
		if (generic_read(context, text, bounce))
			return true;
	}
	return false;
}

bool kinds_read_early(const void *context, struct evidence_text *text, struct bounce *bounce)
{
	return read_kinds(context, text, true, bounce);
}

bool kinds_read(const void *context, struct evidence_text *text, struct bounce *bounce)
{
	return read_kinds(context, text, false, bounce);
}
