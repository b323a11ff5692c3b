#!/usr/bin/perl
# What a report says does not depend on how it came: tests/mail, changed in ways that must not change
# the answer. Each change is a row of @changes; %exceptions says where one does change it, and why.
# An exception that is none any more fails, too.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use MIME::Base64 qw(encode_base64);
use MIME::QuotedPrint qw(encode_qp);

my $mail = abs_path(dirname($0) . '/../mail');
my $backstop = abs_path($ENV{BACKSTOP} || 'build/backstop');
my $dir = tempdir('backstop-mutate.XXXXXX', TMPDIR => 1, CLEANUP => 1);
delete $ENV{BACKSTOP_CONF};
$ENV{TZ} = 'UTC';

# ---- a message as header fields and a body, with LF ----

sub parse {
	my ($raw) = @_;
	return if !defined $raw; # an empty file
	my ($head, $body) = split /\n\n/, $raw, 2;
	return if !defined $body || $raw =~ /\r|\0/ || $head =~ /^(?:From |$)/;
	my @fields;
	for my $line (split /\n/, $head) {
		if ($line =~ /^[ \t]/ && @fields) { $fields[-1][1] .= "\n$line" }
		elsif ($line =~ /^([!-9;-~]+):(.*)$/) { push @fields, [$1, $2] }
		else { return }
	}
	return { fields => \@fields, body => $body };
}

sub write_out {
	my ($message, @fields) = @_;
	@fields = @{ $message->{fields} } if !@fields;
	return join('', map { "$_->[0]:$_->[1]\n" } @fields) . "\n" . $message->{body};
}

sub find { my ($message, $name) = @_; return (map { $_->[1] } grep { lc $_->[0] eq lc $name } @{ $message->{fields} })[0] // '' }
sub without { my ($message, $pattern) = @_; return grep { $_->[0] !~ /^(?:$pattern)$/i } @{ $message->{fields} } }

# The boundary of the message, where it is there.
sub boundary {
	my ($message) = @_;
	my ($boundary) = find($message, 'Content-Type') =~ /^\s*multipart\/.*?boundary="?([^";\s]+)/si or return;
	return $message->{body} =~ /^--\Q$boundary\E$/m ? $boundary : undef;
}

# The text of a message that is nothing but 7-bit text/plain.
sub text {
	my ($message) = @_;
	my $type = find($message, 'Content-Type');
	return if $type ne '' && $type !~ /^\s*text\/plain/i;
	return if find($message, 'Content-Transfer-Encoding') =~ /base64|quoted/i || $message->{body} =~ /[^\t\n -~]/;
	return $message->{body};
}

sub as_text {
	my ($message, $type, $encoding, $body) = @_;
	my @fields = (without($message, 'Content-.*|MIME-Version'), ['MIME-Version', ' 1.0'], ['Content-Type', " $type"]);
	push @fields, ['Content-Transfer-Encoding', " $encoding"] if $encoding;
	return write_out({ body => $body }, @fields);
}

sub wrap {
	my ($message, @behind) = @_;
	my $inner = join('', map { "$_->[0]:$_->[1]\n" } grep { $_->[0] =~ /^Content-/i } @{ $message->{fields} });
	my $body = join('', map { "--=_outer\n$_\n" } "$inner\n$message->{body}", @behind) . "--=_outer--\n";
	return write_out({ body => $body }, without($message, 'Content-.*|MIME-Version'),
		['MIME-Version', ' 1.0'], ['Content-Type', ' multipart/mixed; boundary="=_outer"']);
}

sub html { my ($text) = @_; $text =~ s/&/&amp;/g; $text =~ s/</&lt;/g; $text =~ s/>/&gt;/g; return $text }

# The type of the delivery-status part, changed.
sub retype {
	my ($message, $type, $is_encoded) = @_;
	my $boundary = boundary($message) or return;
	my $body = $message->{body};
	$body =~ /^(--\Q$boundary\E\n)((?:[^\n]+\n)*)\n(.*?)(?=\n--\Q$boundary\E)/ms or return;
	my $count = 0;
	$body =~ s{^(--\Q$boundary\E\n)((?:[^\n]+\n)*)\n(.*?)(?=\n--\Q$boundary\E)}{
		my ($line, $head, $content) = ($1, $2, $3);
		if ($head =~ /^Content-Type:\s*message\/delivery-status/mi && $head !~ /^Content-Transfer-Encoding:\s*(?:base64|quoted)/mi) {
			$count++;
			$head =~ s/^Content-(?:Type|Transfer-Encoding):.*\n(?:[ \t].*\n)*//mgi;
			$head .= "Content-Type: $type\n" if $type;
			($head, $content) = ("${head}Content-Transfer-Encoding: base64\n", encode_base64($content)) if $is_encoded;
		}
		"$line$head\n$content"}gmse;
	return $count ? write_out({ body => $body }, @{ $message->{fields} }) : undef;
}

# ---- the changes ----

my $footer = "Content-Type: text/plain\n\n_______________________________________________\nnews mailing list\nnews\@lists.example.com\n";
my $disclaimer = "Content-Type: text/plain\n\nThis mail is confidential. If you are not the intended recipient, please notify the\n"
	. "sender or\nlegal\@corp.example\nand delete it.\n";
my @extra = (['X-Spam-Status', " No, score=1.2 required=5.0 tests=BAYES_50,\n\tANY_BOUNCE_MESSAGE autolearn=no"],
	['Authentication-Results', ' mx.lists.example.org; dkim=none; spf=none'], ['X-Virus-Scanned', ' by a scanner'],
	['ARC-Seal', " i=1; a=rsa-sha256; d=example.org; cv=none;\n\tb=abcd=="]);
my %host = ('example.net' => 'zweigstelle-9.example.co.uk', 'example.com' => 'x7.example.de');

sub rename_hosts { my ($text) = @_; return $text =~ s/(?<![\w-])(example\.(?:net|com))(?![\w-])/$host{lc $1}/gir }

my @changes = (
	['CRLF', sub { my $raw = write_out($_[0]); $raw =~ s/\n/\r\n/g; $raw }],
	['CR', sub { my $raw = write_out($_[0]); $raw =~ s/\n/\r/g; $raw }],
	['CR CR LF', sub { my $raw = write_out($_[0]); $raw =~ s/\n/\r\r\n/g; $raw }],
	['a From line', sub { find($_[0], 'Return-Path') =~ /^ <>$/ ? "From MAILER-DAEMON Mon Nov 23 00:00:00 2026\n" . write_out($_[0]) =~ s/\nFrom /\n>From /gr : undef }],
	['no Received', sub { write_out($_[0], without($_[0], 'Received')) }],
	['more fields', sub { write_out($_[0], @extra, @{ $_[0]{fields} }) }],
	['fields unfolded', sub { write_out($_[0], map { [$_->[0], $_->[1] =~ s/\n[ \t]+/ /gr] } @{ $_[0]{fields} }) }],
	['fields folded', sub { write_out($_[0], map { [$_->[0], $_->[0] =~ /^(?:From|To|Subject|Content-Type)$/i ? "\n " . $_->[1] =~ s/^\s+//r : $_->[1]] } @{ $_[0]{fields} }) }],
	['fields reversed', sub { write_out($_[0], (reverse without($_[0], 'Received')), grep { lc $_->[0] eq 'received' } @{ $_[0]{fields} }) }],
	['names of fields in capitals', sub { write_out($_[0], map { [uc $_->[0], $_->[1]] } @{ $_[0]{fields} }) }],
	['blanks at the ends of lines', sub { defined text($_[0]) ? write_out({ body => $_[0]{body} =~ s/(?<=.)$/ /gmr }, @{ $_[0]{fields} }) : undef }],
	['base64', sub { my $t = text($_[0]) // return; as_text($_[0], 'text/plain; charset=utf-8', 'base64', encode_base64($t)) }],
	['quoted-printable', sub { my $t = text($_[0]) // return; as_text($_[0], 'text/plain; charset=utf-8', 'quoted-printable', encode_qp($t)) }],
	['UTF-16', sub { my $t = text($_[0]) // return; as_text($_[0], 'text/plain; charset=utf-16le', 'base64', encode_base64($t =~ s/(.)/$1\0/gsr)) }],
	['HTML with <pre>', sub { my $t = text($_[0]) // return; as_text($_[0], 'text/html', '', '<html><body><pre>' . html($t) . "</pre></body></html>\n") }],
	['HTML with <br>', sub { my $t = text($_[0]) // return; as_text($_[0], 'text/html', '', "<html><body>\n" . html($t) =~ s/^ +/ '&nbsp;' x length $& /gmer =~ s/\n/<br>\n/gr . "</body></html>\n") }],
	['HTML with entities', sub { my $t = text($_[0]) // return; as_text($_[0], 'text/html', '', '<pre>' . html($t) =~ s/\@/&#64;/gr =~ s/'/&#x27;/gr . '</pre>') }],
	['plain text beside the HTML', sub { my $t = text($_[0]) // return; as_text($_[0], 'multipart/alternative; boundary=alt', '', "--alt\n\nPlease read the HTML.\n--alt\nContent-Type: text/html\n\n<pre>" . html($t) . "</pre>\n--alt--\n") }],
	['in another part', sub { wrap($_[0]) }],
	['a footer', sub { wrap($_[0], $footer) }],
	['a disclaimer', sub { wrap($_[0], $disclaimer) }],
	['parts not declared', sub { boundary($_[0]) ? write_out($_[0], without($_[0], 'Content-.*|MIME-Version')) : undef }],
	['parts declared as text', sub { boundary($_[0]) ? write_out($_[0], without($_[0], 'Content-.*'), ['Content-Type', ' text/plain']) : undef }],
	['a wrong boundary', sub { my $b = boundary($_[0]) or return; write_out($_[0], map { [$_->[0], $_->[1] =~ s/\Q$b\E/=_wrong/r] } @{ $_[0]{fields} }) }],
	['no last boundary', sub { my $b = boundary($_[0]) or return; my $m = { %{ $_[0] } }; $m->{body} =~ s/^--\Q$b\E--$//m ? write_out($m, @{ $_[0]{fields} }) : undef }],
	['a status part that is text', sub { retype($_[0], 'text/plain; charset=us-ascii', 0) }],
	['a status part that is a file', sub { retype($_[0], 'application/octet-stream; name=details.txt', 1) }],
	['a status part in base64', sub { retype($_[0], 'message/delivery-status', 1) }],
	['a status part of no type', sub { retype($_[0], '', 0) }],
	['other domains', sub { my $raw = write_out($_[0]); $raw =~ /^Content-Transfer-Encoding:\s*(?:base64|quoted)/mi ? undef : rename_hosts($raw) },
		\&rename_hosts],
);

# CHANGE => { FILE => why it changes the answer }
my $in_header = 'its only mark is the type in its own header';
my %wrapped = ('dialects/generic-nobody-report.eml' => $in_header, 'edges/bare-report.eml' => $in_header,
	'feedback/fields-gone.eml' => $in_header, 'mdn/tnef.eml' => $in_header);
my %undeclared = ('dialects/generic-nobody-report.eml' => $in_header,
	'edges/bare-report.eml' => $in_header,
	'edges/report-cut.eml' => $in_header,
	'feedback/fields-gone.eml' => $in_header,
	'feedback/jmrp.eml' => 'a boundary of one letter is too little to guess by');
my $in_html = 'the fields of an original count in HTML with a Message-ID only';
my $now_recipient = 'words of a failure, and now a recipient';
my $by_type = 'a second status part is known by its type alone';
my %exceptions = (
	'HTML with <pre>' => { 'edges/lone-norwegian.eml' => $in_html },
	'HTML with <br>' => { 'edges/lone-norwegian.eml' => $in_html },
	'HTML with entities' => { 'edges/lone-norwegian.eml' => $in_html },
	'plain text beside the HTML' => {
		'autoreply/daemon-on-holiday.eml' => 'it is known by how its words begin',
		'delivered/sendmail-text.eml' => 'it is known by how its words begin',
		'edges/lone-norwegian.eml' => $in_html,
		'autoreply/vacation-dutch.eml' => 'it is known by how its words begin',
		'edges/mdaemon-delayed.eml' => 'it is known by how its words begin',
	},
	'in another part' => \%wrapped,
	'a footer' => {
		%wrapped,
		'edges/passed-on-whole.eml' => 'it is no longer passed on without a word',
		'edges/x400-nameless.eml' => 'whom it was sent to is asked for only where nothing else is said',
	},
	'a disclaimer' => {
		%wrapped,
		'edges/passed-on-whole.eml' => 'it is no longer passed on without a word',
		'autoreply/robot-refuses.eml' => 'what names a recipient is no robot of a forum',
		'ordinary/advert-as-bounce.eml' => $now_recipient,
		'ordinary/mail-error-person.eml' => $now_recipient,
		'ordinary/null-sender-no-mail.eml' => $now_recipient,
		'ordinary/returned-books.eml' => $now_recipient,
	},
	'parts not declared' => \%undeclared,
	'parts declared as text' => \%undeclared,
	'a wrong boundary' => {
		'edges/bare-report.eml' => $in_header,
		'feedback/fields-gone.eml' => $in_header,
		'feedback/jmrp.eml' => $undeclared{'feedback/jmrp.eml'},
	},
	'a status part that is text' => { 'edges/status-twice.eml' => $by_type },
	'a status part that is a file' => { 'edges/status-twice.eml' => $by_type },
	'a status part of no type' => { 'edges/status-twice.eml' => $by_type },
	'other domains' => { 'edges/status-quoted-printable.eml' => 'its addresses are encoded' },
);

# ---- run ----

open my $in, '<:raw', "$mail/labels.tsv" or die "$mail/labels.tsv: $!";
my ($names, @rows) = <$in>;
my (%messages, %labels);
for my $row (@rows) {
	my ($path) = split /\t/, $row;
	local $/;
	open my $file, '<:raw', "$mail/$path" or next;
	my $message = parse(<$file>) or next;
	($messages{$path}, $labels{$path}) = ($message, $row);
}

my $count = 0;
for my $change (@changes) {
	my ($name, $make, $relabel) = @$change;
	my $place = "$dir/" . ++$count;
	my $made = 0;
	make_path($place);
	open my $out, '>:raw', "$place/labels.tsv" or die;
	print $out $names;
	for my $path (sort keys %messages) {
		my $raw = $make->($messages{$path});
		next if !defined $raw;
		make_path(dirname("$place/mail/$path"));
		open my $file, '>:raw', "$place/mail/$path" or die;
		print $file $raw;
		print $out $relabel ? $relabel->($labels{$path}) : $labels{$path};
		$made++;
	}
	close $out;
	my @said = qx("$backstop" scan --diff --expect="$place/labels.tsv" "$place/mail" 2>&1);
	my $is_run = $? >> 8 <= 1 && !($? & 127);
	my %known = %{ $exceptions{$name} || {} };
	my %differs = map { m{^\Q$place\E/mail/(\S+): (.* want .*)} ? ($1 => $2) : () } @said;
	my @wrong = map { "$_: $differs{$_}" } grep { !$known{$_} } sort keys %differs;
	push @wrong, map { "$_: is no exception any more" } grep { !$differs{$_} } sort keys %known;
	push @wrong, 'not run: ' . join('', @said) if !$is_run || !$made;
	print @wrong ? 'not ok' : 'ok', " $count - $name changes nothing ($made messages)\n";
	print map { "#   $_\n" } @wrong;
}
print "1..$count\n";
