# Prints what SpamAssassin says about each message: {"FILE": {"score": NUMBER, "rules": {"RULE": SCORE}}}.
# Arguments: an empty folder for SpamAssassin's state, then the files.
use strict;
use warnings;
use JSON::PP;
use Mail::SpamAssassin;

my ($state, @files) = @ARGV;
my $checker = Mail::SpamAssassin->new({
    local_tests_only     => 1,
    dont_copy_prefs      => 1,
    rules_filename       => '/usr/share/spamassassin',
    site_rules_filename  => '/etc/spamassassin',
    userprefs_filename   => "$state/none",
    userstate_dir        => $state,
    home_dir_for_helpers => $state,
    post_config_text     => "use_bayes 0\n",
});
my %answers;
for my $file (@files) {
    open my $handle, '<:raw', $file or die "$file: $!";
    my $text = do { local $/; <$handle> };
    close $handle;
    my $message = $checker->parse($text, 1);
    my $status = $checker->check($message);
    my %rules = map { $_ => $checker->{conf}{scores}{$_} + 0 } @{ $status->{test_names_hit} };
    $answers{$file} = { score => $status->get_score() + 0, rules => \%rules };
    $status->finish();
    $message->finish();
}
print JSON::PP->new->canonical->encode(\%answers);
