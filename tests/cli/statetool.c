/*
 * statetool.c: what tests do to a state behind the program's back.
 *
 *   statetool count STATE   prints the number of write transactions that it has seen
 *   statetool hold STATE    takes the write lock, prints a line and keeps it until it is killed
 *   statetool age STATE     takes out the databases that older versions did not make
 */
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const later[] = {
	"roster", "proofs", "proof-times", "dns", "audit", "rollups", "rates", "storms", "owed"};

static int age(MDB_env *env)
{
	MDB_txn *transaction = NULL;
	int code = mdb_txn_begin(env, NULL, 0, &transaction);

	for (size_t i = 0; i < sizeof later / sizeof later[0] && code == MDB_SUCCESS; i++) {
		MDB_dbi dbi;

		code = mdb_dbi_open(transaction, later[i], 0, &dbi);
		if (code == MDB_SUCCESS)
			code = mdb_drop(transaction, dbi, 1);
	}
	return code == MDB_SUCCESS ? mdb_txn_commit(transaction) : code;
}

static int count(MDB_env *env)
{
	MDB_envinfo info;
	int code = mdb_env_info(env, &info);

	if (code == MDB_SUCCESS)
		printf("%zu\n", info.me_last_txnid);
	return code;
}

static int hold(MDB_env *env)
{
	MDB_txn *transaction = NULL;
	int code = mdb_txn_begin(env, NULL, 0, &transaction);

	if (code == MDB_SUCCESS) {
		puts("held");
		fflush(stdout);
		pause();
	}
	return code;
}

int main(int argc, char **argv)
{
	MDB_env *env = NULL;
	int code;

	if (argc != 3 || (strcmp(argv[1], "age") != 0 && strcmp(argv[1], "count") != 0 &&
				 strcmp(argv[1], "hold") != 0)) {
		fprintf(stderr, "usage: statetool count|age|hold STATE\n");
		return 2;
	}
	code = mdb_env_create(&env);
	if (code == MDB_SUCCESS)
		code = mdb_env_set_maxdbs(env, 24);
	if (code == MDB_SUCCESS)
		code = mdb_env_open(env, argv[2], 0, 0660);
	if (code == MDB_SUCCESS)
		code = argv[1][0] == 'a' ? age(env) : argv[1][0] == 'h' ? hold(env) : count(env);
	if (code != MDB_SUCCESS)
		fprintf(stderr, "statetool: %s\n", mdb_strerror(code));
	mdb_env_close(env);
	return code == MDB_SUCCESS ? 0 : 1;
}
