# DicomGW::Runner
#
# Runs test programs, several at a time, each within its time limit and with its
# output in a file; prints one line for each, and what went wrong after a failure.
#
# A test is a hash: layer and name (for people), command (a list), and optionally
# tap (its output speaks TAP, and is held to it), each (each check in it is reported as a
# test of its own), limit (seconds), env, dir, and diff (a file to show when it fails).

package DicomGW::Runner;

use strict;
use warnings;

use File::Path qw(make_path);
use POSIX qw(:sys_wait_h setpgid);
use TAP::Parser;
use Time::HiRes qw(sleep time);

use constant {
	DEFAULT_LIMIT => 180,
	TAIL_LINES    => 25,
	MOST_FAILURES => 3,
};

sub new
{
	my ($class, %args) = @_;

	my $self = bless {
		log_dir => $args{log_dir},
		passed  => 0,
		failed  => 0,
		running => {},               # pid => test
	}, $class;
	make_path($self->{log_dir});
	return $self;
}

sub passed { return $_[0]{passed}; }
sub failed { return $_[0]{failed}; }

# Run these tests, at most $jobs at a time.
sub run
{
	my ($self, $jobs, @tests) = @_;

	while (@tests || %{ $self->{running} })
	{
		$self->_start(shift @tests) while @tests && keys %{ $self->{running} } < $jobs;
		sleep 0.02 unless $self->_reap;
		$self->_enforce_limits;
	}
	return;
}

# Something that is no test went wrong (a build, a server): counts as one failure.
sub broken
{
	my ($self, $layer, $what, $log) = @_;

	$self->{failed}++;
	printf "FAIL  %-9s %s\n", $layer, $what;
	_show_tail($log) if defined $log;
	return;
}

sub _start
{
	my ($self, $test) = @_;

	(my $file = "$test->{layer}-$test->{name}.log") =~ s/[^\w.-]/_/g;
	$test->{log}     = "$self->{log_dir}/$file";
	$test->{started} = time;

	my $pid = fork;
	die "could not fork: $!\n" unless defined $pid;
	if ($pid == 0)
	{
		# a group of its own, for the time limit to catch its children, too
		setpgid(0, 0);
		open STDIN,  '<', '/dev/null'   or POSIX::_exit(126);
		open STDOUT, '>', $test->{log}  or POSIX::_exit(126);
		open STDERR, '>&', \*STDOUT     or POSIX::_exit(126);
		%ENV = (%ENV, %{ $test->{env} }) if $test->{env};
		chdir $test->{dir} or POSIX::_exit(126) if $test->{dir};
		exec { $test->{command}[0] } @{ $test->{command} }
		  or print STDERR "could not run $test->{command}[0]: $!\n";
		POSIX::_exit(127);
	}
	$self->{running}{$pid} = $test;
	return;
}

sub _reap
{
	my ($self) = @_;
	my $pid = waitpid(-1, WNOHANG);

	return 0 if $pid <= 0;
	my $test = delete $self->{running}{$pid};
	return 1 unless $test;
	$self->_report($test, $?);

	# whatever it left running
	kill 'KILL', -$pid;
	return 1;
}

sub _enforce_limits
{
	my ($self) = @_;

	while (my ($pid, $test) = each %{ $self->{running} })
	{
		my $limit = $test->{limit} || DEFAULT_LIMIT;
		my $over  = time - $test->{started} - $limit;

		next if $over < 0;
		if (!$test->{timed_out})
		{
			# a Perl test stops its servers on SIGTERM
			$test->{timed_out} = "still running after $limit s";
			kill 'TERM', -$pid;
		}
		kill 'KILL', -$pid if $over > 10;
	}
	return;
}

sub _report
{
	my ($self, $test, $status) = @_;
	my $took = time - $test->{started};
	my ($checks, @why);

	($checks, @why) = _check_tap($test->{log}) if $test->{tap};
	if ($test->{each})
	{
		# a failed check is one already, and so is the exit status that comes of it
		my $failed = $self->_report_each($test);

		@why = grep { !/^not ok/ } @why;
		return if !@why && !$test->{timed_out} && ($failed || !$status);
	}
	push @why, $test->{timed_out} if $test->{timed_out};
	push @why, 'ended by signal ' . ($status & 127) if $status & 127;
	push @why, 'exit status ' . ($status >> 8) if $status >> 8 && !@why;

	my $detail = defined $checks ? $checks . ($checks == 1 ? " check" : " checks") : '';
	printf "%-5s %-9s %-34s %12s %7.1f s\n", @why ? 'FAIL' : 'ok', $test->{layer},
	  $test->{name}, $detail, $took;
	if (@why)
	{
		$self->{failed}++;
		print "        $_\n" for @why;
		if    ($test->{diff} && -s $test->{diff}) { _show_tail($test->{diff}); }
		elsif ($test->{tap})                      { _show_failures($test->{log}); }
		else                                      { _show_tail($test->{log}); }
	}
	else
	{
		$self->{passed}++;
	}
	return;
}

# A line for each check, with the time that it says it took, and what it says of a failure; the number of failures.
sub _report_each
{
	my ($self, $test) = @_;
	my ($failed, $lines) = (0, 0);

	open my $fh, '<', $test->{log} or return 0;
	while (<$fh>)
	{
		if (/^(not )?ok \d+ - (.*?)(?: # time=(\d+)ms)?$/)
		{
			printf "%-5s %-9s %-47s %7.1f s\n", $1 ? 'FAIL' : 'ok', $test->{layer}, $2, ($3 // 0) / 1000;
			$self->{ $1 ? 'failed' : 'passed' }++;
			($failed, $lines) = ($failed + 1, 0) if $1;
			$lines = TAIL_LINES unless $1;
		}
		elsif (/^#/ && $failed && ++$lines <= TAIL_LINES) { print "      | $_"; }
	}
	return $failed;
}

# Number of checks, and what is wrong with them.
sub _check_tap
{
	my ($log) = @_;
	my @why;

	open my $fh, '<', $log or return (0, "could not read $log: $!");
	my $parser = TAP::Parser->new({ source => $fh });
	while (my $result = $parser->next)
	{
		push @why, $result->as_string if $result->is_test && !$result->is_ok;
		push @why, 'bailed out: ' . $result->explanation if $result->is_bailout;
	}
	push @why, $parser->parse_errors;
	push @why, 'no checks at all' if !$parser->tests_run && !$parser->skip_all;
	push @why, 'skipped: ' . $parser->skip_all if $parser->skip_all;
	return ($parser->tests_run, @why);
}

# The first failed checks with what was said about them; without any, how it ended.
sub _show_failures
{
	my ($log) = @_;
	my ($failures, $lines, $shown) = (0, 0, 0);

	open my $fh, '<', $log or return;
	while (<$fh>)
	{
		if (/^not ok/) { ($shown, $lines) = (++$failures <= MOST_FAILURES, 0); }
		elsif (/^ok/)  { $shown = 0; }
		print "      | $_" if $shown && ++$lines <= TAIL_LINES;
	}
	_show_tail($log) unless $failures;
	return;
}

sub _show_tail
{
	my ($file) = @_;

	open my $fh, '<', $file or return;
	my @lines = <$fh>;
	splice @lines, 0, @lines - TAIL_LINES if @lines > TAIL_LINES;
	print "      | $_" for @lines;
	print "\n" if @lines && $lines[-1] !~ /\n\z/;
	return;
}

1;
