/* test_decide.c: what must never happen, over every combination of kind, verdict, mode, policy. */
#include "base/config.h"
#include "decide/decide.h"
#include "suite.h"

static struct list_config make_list(enum action backscatter, enum action unproven)
{
	return (struct list_config){
		.address = "announce@lists.example.org",
		.genuine = {ACTION_FORWARD, NULL},
		.unproven = {unproven, NULL},
		.backscatter = {backscatter, NULL},
		.autoreplies = {ACTION_DROP, NULL},
		.ordinary = {ACTION_FORWARD, NULL},
	};
}

static bool is_answer(enum kind kind)
{
	return kind == KIND_AUTOREPLY || kind == KIND_CHALLENGE || kind == KIND_MDN ||
	       kind == KIND_VIRUSNOTICE;
}

/* One combination a call: the loop variable counts through all of them. */
START_TEST(never_drops_without_proof)
{
	enum kind kind = (enum kind)(_i % KIND_COUNT);
	enum verdict verdict = (enum verdict)(_i / KIND_COUNT % VERDICT_COUNT);
	enum mode mode = (enum mode)(_i / KIND_COUNT / VERDICT_COUNT % 2);
	bool is_looping = _i / KIND_COUNT / VERDICT_COUNT / 2 % 2;
	bool is_storm = _i / KIND_COUNT / VERDICT_COUNT / 4 % 2;
	struct list_config list = make_list(ACTION_DROP, ACTION_HOLD);
	struct decide_input input = {.kind = kind,
		.verdict = verdict,
		.mode = mode,
		.list = &list,
		.is_looping = is_looping,
		.is_storm = is_storm};

	if (!kind_is_judged(kind) != (verdict == VERDICT_NONE))
		return; /* weigh never says so */
	struct decision decision = decide_action(&input);
	const char *name = kind_name(kind), *word = verdict_name(verdict);
	enum action action = decision.target.action;

	ck_assert_ptr_nonnull(decision.why);
	if (mode == MODE_OBSERVE)
		ck_assert_msg(action != ACTION_DROP && action != ACTION_HOLD,
			"%s %s: %s in observe mode", name, word, action_name(action));
	if (action == ACTION_DROP)
		ck_assert_msg(verdict == VERDICT_BACKSCATTER ||
				      (verdict == VERDICT_GENUINE && is_answer(kind)),
			"%s %s: dropped without proof", name, word);
	if (is_looping)
		ck_assert_msg(action != ACTION_FORWARD && action != ACTION_PASS,
			"%s %s: sent out again", name, word);
	if (mode == MODE_ENFORCE && verdict == VERDICT_BACKSCATTER)
		ck_assert_int_eq(action, ACTION_DROP);
	if (mode == MODE_ENFORCE && verdict == VERDICT_UNPROVEN)
		ck_assert_int_eq(action, ACTION_HOLD);
}
END_TEST

START_TEST(keeps_what_no_list_claims)
{
	struct decide_input input = {.kind = (enum kind)_i,
		.verdict = VERDICT_BACKSCATTER,
		.mode = MODE_ENFORCE,
		.is_storm = true,
		.is_over_limit = true};
	struct decision decision = decide_action(&input);

	ck_assert_int_eq(decision.target.action, ACTION_FILE);
	ck_assert_ptr_null(decision.target.argument);
}
END_TEST

START_TEST(observe_mode_says_what_would_be)
{
	struct list_config list = make_list(ACTION_DROP, ACTION_FORWARD);
	struct decide_input input = {.kind = KIND_FAILED,
		.verdict = VERDICT_BACKSCATTER,
		.mode = MODE_OBSERVE,
		.list = &list};
	struct decision decision = decide_action(&input);

	ck_assert_int_eq(decision.policy, ACTION_DROP);
	ck_assert_int_eq(decision.target.action, ACTION_FORWARD);
}
END_TEST

/* Above the limit what would be forwarded is held for the digest, and nothing else is changed. */
START_TEST(collects_what_would_be_forwarded)
{
	enum kind kind = (enum kind)(_i % KIND_COUNT);
	enum verdict verdict = (enum verdict)(_i / KIND_COUNT % VERDICT_COUNT);
	enum mode mode = (enum mode)(_i / KIND_COUNT / VERDICT_COUNT % 2);
	bool is_looping = _i / KIND_COUNT / VERDICT_COUNT / 2 % 2;
	struct list_config list = make_list(ACTION_DROP, ACTION_FORWARD);
	struct decide_input input = {.kind = kind,
		.verdict = verdict,
		.mode = mode,
		.list = &list,
		.is_looping = is_looping};
	struct decision without = decide_action(&input);
	bool is_for_owners = without.target.action == ACTION_FORWARD && mode == MODE_ENFORCE &&
			     kind != KIND_ORDINARY;

	input.is_over_limit = true;
	struct decision with = decide_action(&input);
	ck_assert_msg(with.is_collected == is_for_owners, "%s %s: got %d", kind_name(kind),
		verdict_name(verdict), with.is_collected);
	ck_assert(!without.is_collected);
	ck_assert_int_eq(with.policy, without.policy);
	ck_assert_int_eq(with.target.action, is_for_owners ? ACTION_HOLD : without.target.action);
}
END_TEST

static const struct target to_maildir = {ACTION_FILE, "/var/mail/x"};
static const struct target to_program = {ACTION_PIPE, "x"};
static const struct target to_owners = {ACTION_FORWARD, NULL};
static const struct target passed_on = {ACTION_PASS, NULL};

/* What a storm makes of a target, for each verdict. */
static const struct {
	enum verdict verdict;
	const struct target *target;
	enum mode mode;
	enum action action, policy;
} in_storms[] = {
	{VERDICT_UNPROVEN, &to_owners, MODE_ENFORCE, ACTION_HOLD, ACTION_HOLD},
	{VERDICT_UNPROVEN, &to_owners, MODE_OBSERVE, ACTION_FORWARD, ACTION_HOLD},
	{VERDICT_BACKSCATTER, &to_owners, MODE_ENFORCE, ACTION_HOLD, ACTION_HOLD},
	{VERDICT_BACKSCATTER, &to_owners, MODE_OBSERVE, ACTION_FORWARD, ACTION_HOLD},
	{VERDICT_GENUINE, &to_owners, MODE_ENFORCE, ACTION_HOLD, ACTION_FORWARD},
	{VERDICT_GENUINE, &to_owners, MODE_OBSERVE, ACTION_FORWARD, ACTION_FORWARD},
	{VERDICT_GENUINE, &to_maildir, MODE_ENFORCE, ACTION_FILE, ACTION_FILE},
	{VERDICT_UNPROVEN, &to_maildir, MODE_ENFORCE, ACTION_FILE, ACTION_FILE},
	{VERDICT_UNPROVEN, &to_program, MODE_ENFORCE, ACTION_PIPE, ACTION_PIPE},
	{VERDICT_UNPROVEN, &passed_on, MODE_ENFORCE, ACTION_PASS, ACTION_PASS},
};

START_TEST(a_storm_holds_what_would_be_forwarded)
{
	struct list_config list = {.address = "announce@lists.example.org",
		.genuine = *in_storms[_i].target,
		.unproven = *in_storms[_i].target,
		.backscatter = *in_storms[_i].target,
		.ordinary = {ACTION_FORWARD, NULL}};
	struct decide_input input = {KIND_FAILED, in_storms[_i].verdict, in_storms[_i].mode, &list,
		false, true, false, false};
	struct decision decision = decide_action(&input);

	ck_assert_msg(decision.target.action == in_storms[_i].action &&
			      decision.policy == in_storms[_i].policy,
		"row %d: got %s, policy %s", _i, action_name(decision.target.action),
		action_name(decision.policy));
	/* What is genuine is the owners' all the same, and only that. */
	ck_assert_int_eq(decision.is_collected,
		decision.target.action == ACTION_HOLD && in_storms[_i].verdict == VERDICT_GENUINE);
}
END_TEST

/* What would be genuine in calm times is not hidden from the owners. */
START_TEST(a_storm_alone_hides_nothing)
{
	struct list_config list = make_list(ACTION_DROP, ACTION_FORWARD);
	struct decide_input input = {.kind = KIND_FAILED,
		.verdict = VERDICT_UNPROVEN,
		.mode = MODE_ENFORCE,
		.list = &list,
		.is_storm = true,
		.is_storm_alone = true};
	struct decision decision = decide_action(&input);

	ck_assert_int_eq(decision.target.action, ACTION_HOLD);
	ck_assert_int_eq(decision.policy, ACTION_FORWARD);
	ck_assert(decision.is_collected);
	/* Also where what is unproven at any time is held; a Maildir gets what it gets in calm
	 * times. */
	list.unproven.action = ACTION_HOLD;
	decision = decide_action(&input);
	ck_assert_int_eq(decision.target.action, ACTION_HOLD);
	ck_assert_int_eq(decision.policy, ACTION_FORWARD);
	ck_assert(decision.is_collected);
	list.unproven.action = ACTION_FILE;
	ck_assert_int_eq(decide_action(&input).target.action, ACTION_FILE);
	list.unproven.action = ACTION_HOLD;
	input.is_looping = true;
	ck_assert(!decide_action(&input).is_collected);
	input.is_looping = false;
	list.genuine.action = ACTION_PIPE;
	ck_assert(!decide_action(&input).is_collected);
	list.genuine.action = ACTION_FORWARD;
	input.kind = KIND_AUTOREPLY; /* that list drops genuine ones */
	ck_assert(!decide_action(&input).is_collected);
}
END_TEST

/* No answer: the list's own mail does not suffer. */
START_TEST(a_storm_leaves_ordinary_mail_alone)
{
	struct list_config list = make_list(ACTION_DROP, ACTION_FORWARD);
	struct decide_input input = {
		KIND_ORDINARY, VERDICT_NONE, MODE_ENFORCE, &list, false, true, false, false};

	ck_assert_int_eq(decide_action(&input).target.action, ACTION_FORWARD);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("decide");
	TCase *tcase = tcase_create("decide");

	tcase_add_loop_test(tcase, never_drops_without_proof, 0, KIND_COUNT * VERDICT_COUNT * 8);
	tcase_add_loop_test(tcase, keeps_what_no_list_claims, 0, KIND_COUNT);
	tcase_add_loop_test(
		tcase, collects_what_would_be_forwarded, 0, KIND_COUNT * VERDICT_COUNT * 4);
	tcase_add_test(tcase, observe_mode_says_what_would_be);
	tcase_add_loop_test(tcase, a_storm_holds_what_would_be_forwarded, 0, ROWS(in_storms));
	tcase_add_test(tcase, a_storm_alone_hides_nothing);
	tcase_add_test(tcase, a_storm_leaves_ordinary_mail_alone);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
