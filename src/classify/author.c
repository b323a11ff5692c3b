/* author.c: in charge of telling mail systems from people by From and envelope. Both can be forged;
 * a wrong answer costs a wrong kind, never a lost message. */
#include "classify/author.h"

#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "base/text.h"

static const char *const daemon_names[] = {
	"mailer-daemon", "mailerdaemon", "mailer_daemon", "mail-daemon", "maildaemon"};

/* False when none of the names can be the local part of an address in value: asked first, and
 * often. A backslash may hide one. */
static bool may_name(const char *value, const char *const *names, size_t count)
{
	if (value == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (text_find_fold(value, names[i]) != NULL)
			return true;
	}
	return strchr(value, '\\') != NULL;
}

static bool is_local_part(const struct mail *mail, const char *const *names, size_t count)
{
	const char *value = headers_find(&mail->headers, "From");

	if (!may_name(value, names, count))
		return false;
	void *context = mem_context(NULL, "author");
	char *address = header_address(context, value);
	char *local = NULL;
	bool is_found = false;

	if (address != NULL && *address != '\0')
		local = address_local(context, address);
	else if (value !=
		 NULL) /* "MAILER-DAEMON" without a domain, "MAILER-DAEMON (Mail System)" */
		local = header_token(context, value);
	for (size_t i = 0; local != NULL && i < count; i++)
		is_found = is_found || text_equal_fold(local, names[i]);
	mem_free(context);
	return is_found;
}

bool author_has_null_sender(const struct mail *mail)
{
	return mail->envelope.has_sender && *mail->envelope.sender == '\0';
}

bool author_is_daemon(const struct mail *mail)
{
	const char *from = headers_find(&mail->headers, "From");

	return (from != NULL && strcmp(from, "<>") == 0) ||
	       is_local_part(mail, daemon_names, sizeof(daemon_names) / sizeof(daemon_names[0]));
}

bool author_is_postmaster(const struct mail *mail)
{
	static const char *const names[] = {"postmaster"};

	return is_local_part(mail, names, 1);
}

bool author_is_answer(const struct mail *mail)
{
	return author_has_null_sender(mail) ||
	       headers_find(&mail->headers, "In-Reply-To") != NULL ||
	       headers_find(&mail->headers, "References") != NULL;
}

/* Programs that people write with, as they name themselves. Those that answer in an owner's absence
 * with the same name are not among them (Exchange's connectors, GroupWise, Notes). */
static const char *const mail_programs[] = {"outlook express", "microsoft outlook,",
	"microsoft office outlook", "microsoft outlook 1", "windows mail", "windows live mail",
	"windows-live-mail", "thunderbird", "mozilla", "seamonkey", "apple mail", "iphone mail",
	"ipad mail", "k-9 mail", "fairemail", "mutt/", "mutt 1", "neomutt", "kmail", "evolution",
	"sylpheed", "claws mail", "alpine", "pine", "gnus/", "eudora", "the bat!", "opera mail",
	"opera m2", "roundcube webmail", "squirrelmail", "horde application", "imp/php",
	"mew version", "wanderlust", "becky!", "foxmail", "mailspring", "geary", "postbox",
	"yahoomail", "sogomail", "sogo web mailer", "balsa", "aqua mail", "betterbird", "nmh-",
	"tin/", "mahogany", "pegasus mail", "elm [version"};

static bool names_mail_program(const struct mail *mail, bool *names_other_out)
{
	static const char *const fields[] = {"User-Agent", "X-Mailer", "X-PHP-Originating-Script"};

	*names_other_out = false;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const char *value = headers_find(&mail->headers, fields[i]);
		for (size_t k = 0;
			value != NULL && k < sizeof(mail_programs) / sizeof(mail_programs[0]);
			k++) {
			if (text_find_fold(value, mail_programs[k]) != NULL)
				return true;
		}
		*names_other_out = *names_other_out || value != NULL;
	}
	return false;
}

/* The hop at which it came into the world, the last Received field, asked for a password. A server
 * says so of its own programs too (OpenSMTPD). */
static bool was_handed_in(const struct mail *mail)
{
	static const char *const protocols[] = {
		" with esmtpsa", " with esmtpa", " with utf8smtpsa", " with asmtp", " with http"};
	const struct header *header, *last = NULL;
	size_t index = 0;

	while ((header = headers_next(&mail->headers, "Received", &index)) != NULL)
		last = header;
	if (last != NULL && text_starts_fold(last->value, "from localhost"))
		return false;
	for (size_t i = 0; last != NULL && i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		if (text_find_fold(last->value, protocols[i]) != NULL)
			return true;
	}
	return false;
}

static bool says_program(const struct mail *mail)
{
	static const char *const fields[] = {"X-Failed-Recipients", "X-Autoreply", "X-Autorespond",
		"X-Auto-Response", "X-Autoresponder", "X-Vacation", "X-Loop"};
	static const char *const precedences[] = {"bulk", "junk", "auto_reply", "auto-reply"};
	const char *submitted = headers_find(&mail->headers, "Auto-Submitted");
	const char *precedence = headers_find(&mail->headers, "Precedence");

	if (submitted != NULL && !text_starts_fold(submitted, "no"))
		return true;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (headers_find(&mail->headers, fields[i]) != NULL)
			return true;
	}
	for (size_t i = 0; i < sizeof(precedences) / sizeof(precedences[0]); i++) {
		if (precedence != NULL && text_starts_fold(precedence, precedences[i]))
			return true;
	}
	return false;
}

bool author_is_person(const struct mail *mail)
{
	bool names_other; /* scripts hand in their mail like people */

	/* Yahoo's bounces, too, come "with HTTP": the null sender is no person's. */
	return !author_is_daemon(mail) && !says_program(mail) &&
	       (names_mail_program(mail, &names_other) ||
		       (!names_other && !author_has_null_sender(mail) && was_handed_in(mail)));
}

bool author_is_distributed(const struct mail *mail)
{
	static const char *const fields[] = {"List-Id", "List-Post", "List-Unsubscribe",
		"List-Subscribe", "List-Archive", "X-Mailing-List", "Mailing-List", "X-BeenThere"};
	const char *administrivia = headers_find(&mail->headers, "X-List-Administrivia");

	if (administrivia != NULL && text_equal_fold(administrivia, "yes"))
		return false;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (headers_find(&mail->headers, fields[i]) != NULL)
			return true;
	}
	return false;
}
