/* author.c: in charge of telling mail systems from people by From and envelope. Both can be forged;
 * a wrong answer costs a wrong kind, never a lost message. */
#include "classify/author.h"

#include <string.h>

#include "base/address.h"
#include "base/memory.h"
#include "base/text.h"

static const char *const daemon_names[] = {
	"mailer-daemon", "mailerdaemon", "mailer_daemon", "mail-daemon", "maildaemon"};

static bool is_local_part(const struct mail *mail, const char *const *names, size_t count)
{
	const char *value = headers_find(&mail->headers, "From");
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
