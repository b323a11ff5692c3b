/*
 * server.c: a DNS server for tests, on loopback, with a zone of its own and bad manners on request.
 *
 *   server ZONE [BEHAVIOUR [LOG]]
 *
 * Prints its port and a line end, then serves UDP and TCP until its standard input ends: who
 * started it need not kill it. LOG gets a line "NAME TYPE udp|tcp" for each question.
 *
 * ZONE is a master file, one record a line: NAME [TTL] [IN] TYPE DATA, of A, AAAA, MX, TXT, PTR
 * and CNAME; names are whole, with or without the final dot; "*.NAME" stands for all below it.
 * Others (SOA, NS, $TTL) are passed over. NAME BEHAVE WORD makes it answer questions for NAME
 * badly.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 8192, MESSAGE_MAX = 65535, UDP_PLAIN_MAX = 512, SLOW_MS = 700 };
enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_SOA = 6, TYPE_PTR = 12, TYPE_MX = 15, TYPE_TXT = 16 };
enum { TYPE_AAAA = 28, TYPE_OPT = 41, CLASS_IN = 1 };
enum { RCODE_FORMERR = 1, RCODE_SERVFAIL = 2, RCODE_NXDOMAIN = 3, RCODE_REFUSED = 5 };

enum behaviour {
	NORMAL = 0,
	SILENT, /* no answer at all */
	SLOW,	/* an answer after SLOW_MS */
	SERVFAIL,
	REFUSED,
	TRUNCATED,	/* by UDP; the whole by TCP */
	TRUNCATED_DEAD, /* by UDP; TCP closes at once */
	GARBAGE,	/* a head that fits, then noise */
	SHORT,		/* the message ends within a record */
	LYING_ID,
	WRONG_QUESTION, /* repeats another question */
	WRONG_NAME,	/* the records are another name's */
	WRONG_TYPE,
	NAME_LOOP, /* a compressed name that points at itself */
	ALIAS_LOOP,
	ALIAS_CHAIN, /* aliases without end */
	MANY,	     /* thousands of records, by TCP */
	HUGE_TXT,    /* 60,000 bytes, by TCP */
	BEHAVIOURS
};

static const char *const behaviour_names[BEHAVIOURS] = {"normal", "silent", "slow", "servfail",
	"refused", "truncated", "truncated-dead", "garbage", "short", "lying-id", "wrong-question",
	"wrong-name", "wrong-type", "name-loop", "alias-loop", "alias-chain", "many", "huge-txt"};

struct record {
	struct record *next;
	char name[256];
	unsigned type;
	uint32_t ttl;
	unsigned char data[4096];
	size_t size;
};

struct habit {
	struct habit *next;
	char name[256];
	enum behaviour behaviour;
};

static struct record *records;
static struct habit *habits;
static enum behaviour standard;
static FILE *question_log;

struct message {
	unsigned char data[MESSAGE_MAX];
	size_t size;
	bool is_full;
};

static void die(const char *what)
{
	fprintf(stderr, "dns server: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* ---- writing messages ---- */

static void put(struct message *message, const void *data, size_t size)
{
	if (size > sizeof message->data - message->size) {
		message->is_full = true;
		return;
	}
	memcpy(message->data + message->size, data, size);
	message->size += size;
}

static void put16(struct message *message, unsigned value)
{
	unsigned char bytes[] = {(unsigned char)(value >> 8), (unsigned char)value};

	put(message, bytes, sizeof bytes);
}

static void put32(struct message *message, uint32_t value)
{
	put16(message, value >> 16);
	put16(message, value & 0xFFFF);
}

static size_t encode_name(const char *name, unsigned char *bytes)
{
	size_t size = 0;

	while (*name != '\0') {
		size_t label = strcspn(name, ".");

		if (label == 0)
			break;
		bytes[size++] = (unsigned char)label;
		memcpy(bytes + size, name, label);
		size += label;
		name += label + (name[label] == '.');
	}
	bytes[size++] = 0;
	return size;
}

static void put_name(struct message *message, const char *name)
{
	unsigned char bytes[512];

	put(message, bytes, encode_name(name, bytes));
}

static void set16(struct message *message, size_t at, unsigned value)
{
	message->data[at] = (unsigned char)(value >> 8);
	message->data[at + 1] = (unsigned char)value;
}

static void put_record(struct message *message, const char *name, unsigned type, uint32_t ttl,
	const void *data, size_t size)
{
	size_t start = message->size;

	put_name(message, name);
	put16(message, type);
	put16(message, CLASS_IN);
	put32(message, ttl);
	put16(message, (unsigned)size);
	put(message, data, size);
	if (message->is_full) {
		message->size = start;
		return;
	}
	set16(message, 6, (message->data[6] << 8 | message->data[7]) + 1u);
}

/* ---- the zone ---- */

static unsigned find_type(const char *word)
{
	static const struct {
		const char *name;
		unsigned type;
	} types[] = {{"A", TYPE_A}, {"AAAA", TYPE_AAAA}, {"MX", TYPE_MX}, {"TXT", TYPE_TXT},
		{"PTR", TYPE_PTR}, {"CNAME", TYPE_CNAME}};

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		if (strcasecmp(types[i].name, word) == 0)
			return types[i].type;
	}
	return 0;
}

/* Quoted strings, or one bare word; long ones become several. */
static void read_txt(struct record *record, char *text)
{
	while (*text != '\0' && record->size + 257 < sizeof record->data) {
		char *end;
		size_t length;

		text += strspn(text, " \t");
		if (*text == '"')
			end = strchr(++text, '"');
		else
			end = text + strcspn(text, " \t");
		if (end == NULL || (end == text && *end == '\0'))
			break;
		length = (size_t)(end - text);
		length = length > 255 ? 255 : length;
		record->data[record->size++] = (unsigned char)length;
		memcpy(record->data + record->size, text, length);
		record->size += length;
		text += length;
		text += *text == '"';
	}
}

static bool read_data(struct record *record, char *text)
{
	char host[256] = "";
	unsigned preference = 0;

	switch (record->type) {
	case TYPE_A:
		record->size = 4;
		return inet_pton(AF_INET, text, record->data) == 1;
	case TYPE_AAAA:
		record->size = 16;
		return inet_pton(AF_INET6, text, record->data) == 1;
	case TYPE_TXT:
		read_txt(record, text);
		return true;
	case TYPE_MX:
		if (sscanf(text, "%u %255s", &preference, host) != 2)
			return false;
		record->data[0] = (unsigned char)(preference >> 8);
		record->data[1] = (unsigned char)preference;
		record->size = 2 + encode_name(host, record->data + 2);
		return true;
	default:
		record->size = encode_name(text, record->data);
		return true;
	}
}

static void copy_name(char *to, const char *from)
{
	snprintf(to, 256, "%s", from);
	if (to[0] != '\0' && to[strlen(to) - 1] == '.')
		to[strlen(to) - 1] = '\0';
}

static enum behaviour find_behaviour(const char *word)
{
	for (int i = 0; i < BEHAVIOURS; i++) {
		if (strcmp(behaviour_names[i], word) == 0)
			return (enum behaviour)i;
	}
	fprintf(stderr, "dns server: no behaviour \"%s\"\n", word);
	exit(2);
}

static void read_line(char *line)
{
	static struct record **last = &records;
	char name[256], word[64];
	int used = 0;
	uint32_t ttl = 300;
	struct record *record;

	line[strcspn(line, "\r\n")] = '\0';
	if (line[0] == '$' || line[0] == ';' || line[0] == '#' ||
		sscanf(line, "%255s %63s%n", name, word, &used) != 2)
		return;
	if (strcasecmp(word, "BEHAVE") == 0) {
		struct habit *habit = calloc(1, sizeof *habit);

		line += used + strspn(line + used, " \t");
		copy_name(habit->name, name);
		habit->behaviour = find_behaviour(line);
		habit->next = habits;
		habits = habit;
		return;
	}
	if (isdigit((unsigned char)word[0])) {
		ttl = (uint32_t)strtoul(word, NULL, 10);
		line += used;
		if (sscanf(line, "%63s%n", word, &used) != 1)
			return;
	}
	if (strcasecmp(word, "IN") == 0) {
		line += used;
		if (sscanf(line, "%63s%n", word, &used) != 1)
			return;
	}
	if (find_type(word) == 0)
		return;
	record = calloc(1, sizeof *record);
	copy_name(record->name, name);
	record->type = find_type(word);
	record->ttl = ttl;
	line += used;
	line += strspn(line, " \t");
	if (!read_data(record, line)) {
		fprintf(stderr, "dns server: bad record: %s %s\n", name, line);
		exit(2);
	}
	*last = record;
	last = &record->next;
}

static void read_zone(const char *path)
{
	static char line[LINE_MAX_BYTES];
	FILE *file = fopen(path, "r");

	if (file == NULL)
		die(path);
	while (fgets(line, sizeof line, file) != NULL)
		read_line(line);
	fclose(file);
}

static bool is_below(const char *name, const char *ancestor)
{
	size_t length = strlen(name), tail = strlen(ancestor);

	return length > tail && name[length - tail - 1] == '.' &&
	       strcasecmp(name + length - tail, ancestor) == 0;
}

static bool has_name(const char *name)
{
	for (const struct record *record = records; record != NULL; record = record->next) {
		if (strcasecmp(record->name, name) == 0 || is_below(record->name, name))
			return true;
	}
	return false;
}

/* ---- answering ---- */

/* True when the owner of a record stands for name. */
static bool matches(const struct record *record, const char *name)
{
	if (strncmp(record->name, "*.", 2) == 0)
		return !has_name(name) && is_below(name, record->name + 2);
	return strcasecmp(record->name, name) == 0;
}

static void put_soa(struct message *answer)
{
	unsigned char numbers[20] = {0};
	struct message data = {.size = 0};

	numbers[18] = 1;
	numbers[19] = 44; /* 300 */
	put_name(&data, "ns.example.org");
	put_name(&data, "hostmaster.example.org");
	put(&data, numbers, sizeof numbers);
	put_record(answer, "", TYPE_SOA, 300, data.data, data.size);
	set16(answer, 6, 0);
	set16(answer, 8, 1);
}

static void put_records(struct message *answer, const char *name, unsigned type)
{
	char current[256];
	bool is_found = false, is_there = false;

	snprintf(current, sizeof current, "%s", name);
	for (int depth = 0; depth < 20; depth++) {
		const struct record *alias = NULL;

		is_there = is_there || has_name(current);
		for (const struct record *record = records; record != NULL; record = record->next) {
			if (!matches(record, current))
				continue;
			is_there = true;
			if (record->type == TYPE_CNAME)
				alias = record;
			if (record->type != type)
				continue;
			put_record(answer, current, type, record->ttl, record->data, record->size);
			is_found = true;
		}
		if (alias == NULL || is_found)
			break;
		put_record(answer, current, TYPE_CNAME, alias->ttl, alias->data, alias->size);
		current[0] = '\0';
		for (size_t at = 0; alias->data[at] != 0; at += 1u + alias->data[at])
			snprintf(current + strlen(current), sizeof current - strlen(current),
				"%s%.*s", at == 0 ? "" : ".", alias->data[at],
				(const char *)alias->data + at + 1);
		is_there = has_name(current);
	}
	if (!is_there)
		answer->data[3] |= RCODE_NXDOMAIN;
	if (!is_found && answer->data[7] == 0)
		put_soa(answer);
}

static void put_aliases(struct message *answer, const char *name, bool is_loop)
{
	unsigned char data[512];
	char from[256], to[256];

	snprintf(from, sizeof from, "%s", name);
	for (int i = 1; i <= (is_loop ? 2 : 60); i++) {
		if (is_loop && i == 2)
			snprintf(to, sizeof to, "%s", name);
		else
			snprintf(to, sizeof to, "alias%d.example.org", i);
		put_record(answer, from, TYPE_CNAME, 300, data, encode_name(to, data));
		snprintf(from, sizeof from, "%s", to);
	}
}

static const unsigned char loopback[4] = {127, 0, 0, 2};

static void put_many(struct message *answer, const char *name, unsigned type)
{
	for (int i = 0; i < 100000 && !answer->is_full; i++) {
		unsigned char address[4] = {
			10, (unsigned char)(i >> 16), (unsigned char)(i >> 8), (unsigned char)i};

		put_record(answer, name, type, 300, address, sizeof address);
	}
	answer->is_full = false;
}

static void put_huge(struct message *answer, const char *name)
{
	static unsigned char data[60000];

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = i % 250 == 0 ? 249 : 'x';
	put_record(answer, name, TYPE_TXT, 300, data, sizeof data);
}

static void put_name_loop(struct message *answer, unsigned type)
{
	unsigned start = (unsigned)answer->size;

	put16(answer, 0xC000u | start);
	put16(answer, type);
	put16(answer, CLASS_IN);
	put32(answer, 300);
	put16(answer, 4);
	put(answer, loopback, 4);
	set16(answer, 6, 1);
}

static void put_answer(
	struct message *answer, const char *name, unsigned type, enum behaviour behaviour)
{
	switch (behaviour) {
	case SERVFAIL:
		answer->data[3] |= RCODE_SERVFAIL;
		break;
	case REFUSED:
		answer->data[3] |= RCODE_REFUSED;
		break;
	case GARBAGE:
		set16(answer, 6, 3);
		for (unsigned i = 0; i < 90; i++)
			put16(answer, i * 40503u);
		break;
	case WRONG_NAME:
		put_record(answer, "elsewhere.example.org", type, 300, loopback, 4);
		break;
	case WRONG_TYPE:
		put_record(answer, name, type == TYPE_A ? TYPE_TXT : TYPE_A, 300, loopback, 4);
		break;
	case NAME_LOOP:
		put_name_loop(answer, type);
		break;
	case ALIAS_LOOP:
	case ALIAS_CHAIN:
		put_aliases(answer, name, behaviour == ALIAS_LOOP);
		break;
	case MANY:
		put_many(answer, name, type);
		break;
	case HUGE_TXT:
		put_huge(answer, name);
		break;
	default:
		put_records(answer, name, type);
		break;
	}
	if (behaviour == SHORT && answer->size > 6)
		answer->size -= 6;
}

static void wait_ms(long ms)
{
	struct timespec wait = {ms / 1000, ms % 1000 * 1000000L};

	nanosleep(&wait, NULL);
}

struct question {
	char name[256];
	unsigned type;
	size_t end; /* offset behind it */
	size_t udp_max;
	enum behaviour behaviour;
};

static bool parse_question(const unsigned char *data, size_t size, struct question *question)
{
	size_t at = 12, length = 0;

	if (size < 17)
		return false;
	while (at < size && data[at] != 0) {
		if (data[at] > 63 || at + 1u + data[at] >= size || length + data[at] + 2 > 255)
			return false;
		if (length > 0)
			question->name[length++] = '.';
		for (unsigned i = 0; i < data[at]; i++)
			question->name[length++] = (char)tolower(data[at + 1 + i]);
		at += 1u + data[at];
	}
	question->name[length] = '\0';
	if (at + 5 > size)
		return false;
	question->type = (unsigned)data[at + 1] << 8 | data[at + 2];
	question->end = at + 5;
	question->udp_max = UDP_PLAIN_MAX;
	/* EDNS: the root name, type OPT, and the size where a class would be (RFC 6891). */
	if (question->end + 11 <= size && data[question->end + 2] == TYPE_OPT)
		question->udp_max = (size_t)data[question->end + 3] << 8 | data[question->end + 4];
	question->behaviour = standard;
	for (const struct habit *habit = habits; habit != NULL; habit = habit->next) {
		if (strcasecmp(habit->name, question->name) == 0)
			question->behaviour = habit->behaviour;
	}
	return true;
}

/* False: say nothing. */
static bool answer_question(
	const unsigned char *data, size_t size, bool is_tcp, struct message *answer)
{
	struct question question;
	enum behaviour behaviour;
	bool is_cut;

	answer->size = 0;
	answer->is_full = false;
	if (!parse_question(data, size, &question))
		return false;
	behaviour = question.behaviour;
	if (question_log != NULL) {
		fprintf(question_log, "%s %u %s\n", question.name, question.type,
			is_tcp ? "tcp" : "udp");
		fflush(question_log);
	}
	if (behaviour == SILENT || (behaviour == TRUNCATED_DEAD && is_tcp))
		return false;
	if (behaviour == SLOW)
		wait_ms(SLOW_MS);
	put(answer, data, question.end);
	set16(answer, 2, 0x8180);
	set16(answer, 4, 1);
	memset(answer->data + 6, 0, 6);
	if (behaviour == LYING_ID)
		answer->data[0] ^= 0x55;
	if (behaviour == WRONG_QUESTION)
		answer->data[13] = answer->data[13] == 'z' ? 'y' : 'z';
	put_answer(answer, question.name, question.type, behaviour);
	is_cut = !is_tcp && answer->size > question.udp_max;
	if (is_cut || (!is_tcp && (behaviour == TRUNCATED || behaviour == TRUNCATED_DEAD))) {
		answer->size = question.end;
		memset(answer->data + 6, 0, 6);
		answer->data[2] |= 0x02;
	}
	return true;
}

/* ---- sockets ---- */

static void serve_udp(int descriptor)
{
	static unsigned char data[MESSAGE_MAX];
	static struct message answer;
	struct sockaddr_in from;
	socklen_t length = sizeof from;
	ssize_t got = recvfrom(descriptor, data, sizeof data, 0, (struct sockaddr *)&from, &length);

	if (got > 0 && answer_question(data, (size_t)got, false, &answer))
		sendto(descriptor, answer.data, answer.size, 0, (struct sockaddr *)&from, length);
}

static bool read_all(int descriptor, unsigned char *data, size_t size)
{
	while (size > 0) {
		ssize_t got = read(descriptor, data, size);

		if (got <= 0)
			return false;
		data += got;
		size -= (size_t)got;
	}
	return true;
}

static void write_all(int descriptor, const unsigned char *data, size_t size)
{
	while (size > 0) {
		ssize_t done = write(descriptor, data, size);

		if (done <= 0)
			return;
		data += done;
		size -= (size_t)done;
	}
}

static void serve_tcp(int listener)
{
	static unsigned char data[MESSAGE_MAX];
	static struct message answer;
	struct timeval patience = {.tv_sec = 2};
	unsigned char head[2];
	int client = accept(listener, NULL, NULL);

	if (client < 0)
		return;
	setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (read_all(client, head, 2)) {
		size_t size = (size_t)head[0] << 8 | head[1];

		if (read_all(client, data, size) && answer_question(data, size, true, &answer)) {
			head[0] = (unsigned char)(answer.size >> 8);
			head[1] = (unsigned char)answer.size;
			write_all(client, head, 2);
			write_all(client, answer.data, answer.size);
		}
	}
	close(client);
}

/* The same port for both: found by trying. */
static int bind_both(int *udp_out, int *tcp_out)
{
	struct sockaddr_in address;
	socklen_t length = sizeof address;

	for (int i = 0; i < 100; i++) {
		int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		memset(&address, 0, sizeof address);
		address.sin_family = AF_INET;
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		if (bind(udp, (struct sockaddr *)&address, sizeof address) == 0 &&
			getsockname(udp, (struct sockaddr *)&address, &length) == 0 &&
			bind(tcp, (struct sockaddr *)&address, sizeof address) == 0 &&
			listen(tcp, 16) == 0) {
			*udp_out = udp;
			*tcp_out = tcp;
			return ntohs(address.sin_port);
		}
		close(udp);
		close(tcp);
	}
	die("no port");
	return 0;
}

int main(int argc, char **argv)
{
	int udp, tcp;

	if (argc < 2) {
		fprintf(stderr, "usage: server ZONE [BEHAVIOUR [LOG]]\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	read_zone(argv[1]);
	if (argc > 2)
		standard = find_behaviour(argv[2]);
	if (argc > 3 && (question_log = fopen(argv[3], "a")) == NULL)
		die(argv[3]);
	printf("%d\n", bind_both(&udp, &tcp));
	fflush(stdout);
	for (;;) {
		struct pollfd polls[] = {
			{STDIN_FILENO, POLLIN, 0}, {udp, POLLIN, 0}, {tcp, POLLIN, 0}};
		char byte;

		if (poll(polls, 3, -1) < 0)
			continue;
		if (polls[0].revents != 0 && read(STDIN_FILENO, &byte, 1) <= 0)
			return 0;
		if (polls[1].revents != 0)
			serve_udp(udp);
		if (polls[2].revents != 0)
			serve_tcp(tcp);
	}
}
