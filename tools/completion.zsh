#compdef tarseal @PROGRAMS@
# SPDX-License-Identifier: BSD-2-Clause
#
# zsh completion for tarseal, and for backup, verify, restore and manifest where they are on PATH.
# Made by tools/make-completion from the programs' option tables: change it there.
#
# It asks no program and reads no file: names of backups are the names of the .seal files in the
# repository that --repo or TARSEAL_REPO names.

# Sets repo and names.  opt_args has words as they were typed, and with a backslash before each of
# theirs.
_tarseal_names() {
	repo=${(Q)${(Q)${opt_args[--repo]:-${opt_args[-r]-}}}}
	repo=${repo:-${TARSEAL_REPO-}}
	repo=${repo/#\~\//$HOME/}
	names=()
	[[ -n $repo ]] && names=($repo/*.seal(N:t:r))
	names=(${(M)names:#[A-Za-z0-9_][A-Za-z0-9._-]#})
}

_tarseal_backups() {
	setopt localoptions extendedglob
	local -a names expl
	local repo
	_tarseal_names
	_wanted backups expl backup compadd "$@" -- $names latest
}

_tarseal_two() {
	setopt localoptions extendedglob
	local -a names expl
	local repo
	_tarseal_names
	_wanted backups expl backup compadd "$@" -- $names latest previous
}

# What manifest import is for.
_tarseal_archives() {
	setopt localoptions extendedglob
	local -a names expl archives
	local repo name
	_tarseal_names
	for name in $repo/*.tar.gz(N:t:r:r); do
		[[ $name == [A-Za-z0-9_][A-Za-z0-9._-]# ]] || continue
		((${names[(Ie)$name]})) || archives+=$name.tar.gz
	done
	_wanted archives expl archive compadd "$@" -- $archives
}

_tarseal_series() {
	setopt localoptions extendedglob
	local -a names expl
	local repo
	_tarseal_names
	names=(${(M)names:#*-[0-9](#c8)_[0-9](#c6)(-[0-9]##)#})
	names=(${(u)names%%-[0-9](#c8)_[0-9](#c6)(-[0-9]##)#})
	_wanted series expl series compadd "$@" -- $names
}

_tarseal_zones() {
	_files -W /usr/share/zoneinfo -g '[A-Z]*~*.*(-/,-.)' "$@"
}

@FUNCTIONS@
_tarseal_commands() {
	local -a commands
	commands=(
@COMMANDS@
	)
	_describe -t commands command commands
}

_tarseal_programs() {
	local -a programs
	programs=(
@SUMMARIES@
	)
	_describe -t programs program programs
}

# "backup" and "restore" are names of other programs too: ours have the three others beside them.
_tarseal_is_ours() {
	local at=${(Q)words[1]} program
	at=${at/#\~\//$HOME/}
	[[ $at == */* ]] || at=${commands[$at]-}
	[[ -n $at ]] || return 1
	for program in @PROGRAMS@; do
		[[ -x ${at:h}/$program ]] || return 1
	done
}

_tarseal() {
	local program=$service command
	if [[ $program == tarseal ]]; then
		if ((CURRENT == 2)); then
			_alternative 'programs:program:_tarseal_programs' \
			    'commands:command:((help\:"the options of one"))' \
			    'options:option:((--help\:"what there is" --version\:"the version"))'
			return
		fi
		program=$words[2]
		shift words
		((CURRENT--))
		if [[ $program == help ]]; then
			((CURRENT > 2)) || _tarseal_programs
			return
		fi
	elif ! _tarseal_is_ours; then
		_default
		return
	fi
	if [[ $program == manifest ]]; then
		if ((CURRENT == 2)); then
			_alternative 'commands:command:_tarseal_commands' \
			    'options:option:((--help\:"what there is" --version\:"the version"))'
			return
		fi
		command=$words[2]
		shift words
		((CURRENT--))
	fi
	((${+functions[_tarseal_of_$program${command:+_$command}]})) || return 1
	_tarseal_of_$program${command:+_$command}
}

_tarseal "$@"
