# Runs inside a sandbox, in the root of the checkout. Expects: base, bundle, commit_everything.
# Every git below names its folder and switches off what the worker's configuration could start.

leave() {
    printf 'shopfloor: %s\n' "$2" >&2
    exit "$1"
}

for name in $(env | sed -n 's/^\(GIT_[A-Za-z0-9_]*\)=.*/\1/p'); do
    unset "$name"
done
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_ATTR_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
export GIT_NO_REPLACE_OBJECTS=1 GIT_GRAFT_FILE=/dev/null GIT_ALLOW_PROTOCOL=none GIT_EDITOR=true GIT_PAGER=cat
export GIT_AUTHOR_NAME=shopfloor GIT_AUTHOR_EMAIL=shopfloor@localhost
export GIT_COMMITTER_NAME=shopfloor GIT_COMMITTER_EMAIL=shopfloor@localhost

safe_git() {
    git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.bare=false \
        -c core.excludesFile=/dev/null -c core.attributesFile=/dev/null \
        -c commit.gpgSign=false -c i18n.commitEncoding=UTF-8 -c gc.auto=0 -c maintenance.auto=false \
        -c advice.addEmbeddedRepo=false -c advice.graftFileDeprecated=false \
        -c 'safe.directory=*' --git-dir=.git --work-tree=. "$@"
}

command -v git >/dev/null 2>&1 || leave 4 'there is no git in this sandbox, so the work cannot be taken over'

[ -d .git ] && [ ! -L .git ] ||
    leave 4 '.git is gone, or is no folder any more: restore it, the work can only be taken over from there'
safe_git rev-parse --quiet --verify 'HEAD^{commit}' >/dev/null ||
    leave 4 'git cannot read the current commit: repair .git (its config, its HEAD, its objects)'

# Whoever was cut off while git was at work left a lock behind; nobody else is at work here now.
rm -f -- .git/index.lock .git/HEAD.lock .git/config.lock .git/refs/heads/*.lock 2>/dev/null

for state in rebase-merge rebase-apply MERGE_HEAD CHERRY_PICK_HEAD REVERT_HEAD BISECT_LOG; do
    [ ! -e ".git/$state" ] ||
        leave 5 "a merge, rebase or the like is half done (.git/$state): finish or abort it first"
done
[ -z "$(safe_git ls-files --unmerged)" ] || leave 5 'some files are still in conflict: resolve and add them first'

if [ "$commit_everything" = yes ]; then
    safe_git add --all -- . || leave 7 'git could not add the uncommitted files; its words are above'
    tree=$(safe_git write-tree) || leave 7 'git could not write the tree; its words are above'
    if [ "$tree" != "$(safe_git rev-parse 'HEAD^{tree}')" ]; then
        commit=$(printf '%s\n' "${SHOPFLOOR_MESSAGE:-Work of an attempt}" | safe_git commit-tree "$tree" -p HEAD) ||
            leave 7 'git could not make the commit; its words are above'
        safe_git update-ref HEAD "$commit" || leave 7 'git could not move the branch; its words are above'
    fi
fi

safe_git merge-base --is-ancestor "$base" HEAD ||
    leave 6 "the current commit does not build on $base any more: rebase the work onto that commit"
[ "$(safe_git rev-parse HEAD)" != "$base" ] || leave 3 'there is nothing new since the work began'

rm -f -- "$bundle"
safe_git bundle create --quiet "$bundle" HEAD "^$base" ||
    leave 7 'git could not write the bundle; its words are above'
exit 0
