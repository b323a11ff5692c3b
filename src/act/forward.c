/*
 * forward.c: handing a message to the mail server for the list's owners.
 *
 * In charge of the call of sendmail, the random token and the host's name; leaves to compose.c
 * every byte that goes out. The null sender is the two words "-f" and "<>": "-f" with an empty word
 * is lost in some wrappers, and without -f the owner of our process would get the bounces of our
 * mail. -i, since a line with a single dot would end the message.
 */
#include "act/act.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "act/child.h"
#include "act/compose.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

enum { TOKEN_BYTES = 15, HOST_SIZE = 256 };

/* "localhost" where the system knows no name, or one that cannot stand in a header. */
static const char *find_host(const void *context)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
	char name[HOST_SIZE] = "";
	char *host;

	if (gethostname(name, sizeof name - 1) != 0)
		name[0] = '\0';
	host = text_lower(context, name);
	return host[0] != '\0' && host[strspn(host, allowed)] == '\0' ? host : "localhost";
}

/* 24 letters and digits for Message-ID and boundary, or NULL. */
static char *make_token(const void *context)
{
	unsigned char random[TOKEN_BYTES];
	char *token;

	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		return NULL;
	token = mem_alloc(context, (TOKEN_BYTES * 8 + 4) / 5 + 1);
	text_base32_encode(random, sizeof random, token);
	return token;
}

/* An empty word would be taken for the local user or for nobody, with exit code 0. */
static bool has_recipients(const char *const *recipients, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (recipients[i] == NULL || recipients[i][0] == '\0')
			return false;
	}
	return count > 0;
}

static const char *const *make_argv(const void *context, const char *sendmail,
	const char *const *recipients, size_t recipient_count)
{
	static const char *const fixed[] = {"-i", "-f", "<>", "--"};
	const size_t fixed_count = sizeof fixed / sizeof fixed[0];
	const char **argv =
		mem_new_array(context, const char *, 1 + fixed_count + recipient_count + 1);

	argv[0] = sendmail;
	memcpy(argv + 1, fixed, sizeof fixed);
	memcpy(argv + 1 + fixed_count, recipients, recipient_count * sizeof *recipients);
	return argv;
}

/* One run of sendmail for each owner: an address that it refuses must not keep the others' mail
 * back, nor send it to them again at each attempt. Success when one of them was accepted. */
static enum status send_to_each(const void *context, const struct config *config,
	const char *const *recipients, size_t recipient_count, struct process_request *request,
	const char **error_out)
{
	enum status result = STATUS_CHILD;
	const char *error = NULL;

	for (size_t i = 0; i < recipient_count; i++) {
		request->argv = make_argv(context, config->sendmail, &recipients[i], 1);
		enum status status = child_run(context, config->sendmail, request, &error);
		if (status == STATUS_OK)
			result = STATUS_OK;
		else if (result != STATUS_OK)
			*error_out = error;
		if (status == STATUS_TIMEOUT && result != STATUS_OK)
			result = status;
		if (status != STATUS_OK && recipient_count > 1)
			log_warning("forward: owner %zu of %zu was not served: %s", i + 1,
				recipient_count, error);
		/* It hangs for the others, too, and all of them together must not take longer than
		 * the claim on what they are sent lasts. */
		if (status == STATUS_TIMEOUT)
			break;
	}
	if (result == STATUS_OK)
		*error_out = NULL;
	return result;
}

/* What compose needs to know of us and of whom it is for. */
static enum status find_facts(
	const void *context, struct compose_facts *facts, const char **error_out)
{
	if (!has_recipients(facts->recipients, facts->recipient_count)) {
		*error_out = "there is nobody to forward to: the list has no owners";
		return STATUS_CONFIG;
	}
	facts->host = find_host(context);
	facts->token = make_token(context);
	if (facts->token == NULL) {
		*error_out = "the system gives no random numbers";
		return STATUS_IO;
	}
	return STATUS_OK;
}

enum status forward_send(const void *context, const struct config *config,
	const char *const *recipients, size_t recipient_count, enum owner_sees owner_sees,
	const struct notice *notice, struct bytes original, const char **error_out)
{
	struct compose_facts facts = {
		.notice = notice, .recipients = recipients, .recipient_count = recipient_count};
	struct process_request request = {.input_count = 0};
	struct bytes input[2];
	enum status status = find_facts(context, &facts, error_out);

	if (status != STATUS_OK)
		return status;
	switch (owner_sees) {
	case OWNER_SEES_SUMMARY:
		input[request.input_count++] = compose_summary(context, &facts);
		break;
	case OWNER_SEES_ORIGINAL:
		input[request.input_count++] = compose_top(context, &facts, original);
		input[request.input_count++] = original;
		break;
	}
	request.input = input;
	return send_to_each(context, config, recipients, recipient_count, &request, error_out);
}

enum status forward_text(const void *context, const struct config *config,
	const char *const *recipients, size_t recipient_count, const struct notice *notice,
	const char **error_out)
{
	struct compose_facts facts = {
		.notice = notice, .recipients = recipients, .recipient_count = recipient_count};
	struct process_request request = {
		.input_count = 1, .limit_s = (unsigned)config->deadline_s};
	struct bytes input;
	enum status status = find_facts(context, &facts, error_out);

	if (status != STATUS_OK)
		return status;
	input = compose_text(context, &facts);
	request.input = &input;
	return send_to_each(context, config, recipients, recipient_count, &request, error_out);
}
