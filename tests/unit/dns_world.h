/*
 * dns_world.h: tests/dns/server for one test: started with a zone, gone with dns_world_end, or with
 * the test however that ends (its standard input ends).
 */
#ifndef BACKSTOP_TESTS_DNS_WORLD_H
#define BACKSTOP_TESTS_DNS_WORLD_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/resolver.h"

struct dns_world {
	pid_t server;
	int lifeline;
	char folder[64];
	char zone_path[96], log_path[96];
	char address[32]; /* "127.0.0.1:PORT" */
	const char *servers[1];
	struct resolver_options options;
};

static inline const char *dns_world_program(const char *variable, const char *standard)
{
	static char absolute[4096];
	const char *path = getenv(variable);

	/* Absolute: a child may start in another directory. */
	return realpath(path == NULL || *path == '\0' ? standard : path, absolute);
}

/* zone: text; behaviour: of all names, or NULL. */
static inline void dns_world_start(struct dns_world *world, const char *zone, const char *behaviour)
{
	int in[2], out[2], port = 0;
	FILE *file;

	memset(world, 0, sizeof *world);
	strcpy(world->folder, "/tmp/backstop-dns.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(world->folder));
	snprintf(world->zone_path, sizeof world->zone_path, "%s/zone", world->folder);
	snprintf(world->log_path, sizeof world->log_path, "%s/log", world->folder);
	file = fopen(world->zone_path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(zone, file);
	fclose(file);
	ck_assert(pipe(in) == 0 && pipe(out) == 0);
	world->server = fork();
	if (world->server == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		execl(dns_world_program("BACKSTOP_DNS_SERVER", "build/tests/dns/server"), "server",
			world->zone_path, behaviour == NULL ? "normal" : behaviour, world->log_path,
			(char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	world->lifeline = in[1];
	file = fdopen(out[0], "r");
	ck_assert_msg(fscanf(file, "%d", &port) == 1, "the DNS server did not start");
	fclose(file);
	snprintf(world->address, sizeof world->address, "127.0.0.1:%d", port);
	world->servers[0] = world->address;
	world->options = (struct resolver_options){.servers = world->servers,
		.server_count = 1,
		.timeout_ms = 1000,
		.budget_ms = 3000};
}

static inline void dns_world_end(struct dns_world *world)
{
	close(world->lifeline);
	waitpid(world->server, NULL, 0);
	unlink(world->zone_path);
	unlink(world->log_path);
	rmdir(world->folder);
}

/* How many questions for this name reached the server. */
static inline int dns_world_count(const struct dns_world *world, const char *name)
{
	FILE *file = fopen(world->log_path, "r");
	char line[512];
	int count = 0;

	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		count += strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ' ';
	if (file != NULL)
		fclose(file);
	return count;
}

#endif
