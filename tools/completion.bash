# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# bash completion for tarseal, and for backup, verify, restore and manifest where they are on PATH.
# Made by tools/make-completion from the programs' option tables: change it there.
#
# It asks no program and reads no file: names of backups are the names of the .seal files in the
# repository that --repo or TARSEAL_REPO names.

_tarseal_programs='@PROGRAMS@'
_tarseal_commands='@COMMANDS@'

# Sets spec for "PROGRAM COMMAND": a line for each option, "--NAME -LETTER KIND [again]", and one for
# each argument, "argument KIND [again]".  KIND: flag, dir, file, backup, two (backups), archive,
# series, zone, text, or =WORD|WORD.
_tarseal_spec() {
	case $1 in
@SPEC@
	*) spec= ;;
	esac
}

# ---- words ----

# words, cword, cur out of COMP_WORDS: "--name", "=" and "value" are one word.
_tarseal_words() {
	local i word before last=-1 glue=
	words=()
	for ((i = 0; i < ${#COMP_WORDS[@]}; i++)); do
		word=${COMP_WORDS[i]}
		if ((i == COMP_CWORD)); then
			before=${COMP_LINE:0:COMP_POINT}
			[[ ${before%"$word"} != *[[:blank:]] ]] || glue=
		fi
		if [[ $last -ge 0 && (-n $glue || ($word == =* && ${words[last]} == --* && ${words[last]} != *=*)) ]]; then
			words[last]+=$word
		else
			words[++last]=$word
		fi
		glue=
		[[ $word == = && ${words[last]} == --*= ]] && glue=yes
		((i == COMP_CWORD)) && cword=$last
	done
	cur=${words[cword]}
}

# $1 as the shell would take it, near enough: without quotes and backslashes, ~ spelled out.
_tarseal_plain() {
	plain=${1//[\"\'\\]/}
	[[ ! $plain =~ ^~(/|$) ]] || plain=$HOME${plain:1}
}

# Sets kind and again of option $1 ("--repo", "-r"); kind is empty when there is none.
_tarseal_option() {
	local name letter of more
	kind='' again=''
	while read -r name letter of more; do
		if [[ $name == --* && ($1 == "$name" || $1 == "$letter") ]]; then
			option=$name kind=$of again=$more
			return
		fi
	done <<<"$spec"
}

# Goes over the words from $1 on: want (the kind of value that the word at the cursor is), given
# (options that need not be offered again), repo, and n_args (arguments before the cursor).
_tarseal_scan() {
	local i=$1 word value kind again option plain rest
	want='' given=' ' only_args='' n_args=0 repo=${TARSEAL_REPO-}
	for (( ; i < ${#words[@]}; i++)); do
		word=${words[i]} value='' kind='' option=''
		((i == cword)) && continue
		if [[ -n $only_args || $word != -?* ]]; then
			((i < cword)) && ((n_args++))
			continue
		elif [[ $word == -- ]]; then
			((i < cword)) && only_args=yes
			continue
		elif [[ $word == --*=* ]]; then
			_tarseal_option "${word%%=*}"
			value=${word#*=}
		elif [[ $word == --* ]]; then
			_tarseal_option "$word"
			rest=
		else
			for ((rest = 1; rest < ${#word}; rest++)); do
				_tarseal_option "-${word:rest:1}"
				[[ -z $kind || $kind == flag ]] || break
			done
			rest=${word:rest+1} value=$rest
		fi
		[[ -z $option || -n $again ]] || given+="$option "
		if [[ -n $kind && $kind != flag && $word != --*=* && -z $rest ]]; then
			((++i == cword)) && want=$kind
			value=${words[i]-}
		fi
		if [[ $option == --repo && $i -ne $cword && -n $value ]]; then
			_tarseal_plain "$value"
			repo=$plain
		fi
	done
}

# ---- what can stand there ----

# Those of the words $1 that begin with $cur.
_tarseal_reply_words() {
	local word
	for word in $1; do
		[[ $word != "$cur"* ]] || COMPREPLY+=("$word")
	done
}

# Files, or with $1 = -d directories.
_tarseal_reply_files() {
	local plain
	plain=${cur#[\"\']}
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen "$1" -- "${plain//\\/}" 2>/dev/null)
}

# names: what stands before .$1 in the repository, and begins with $2.
_tarseal_names() {
	local file
	names=()
	[[ -n $repo ]] || return
	while IFS= read -r file; do
		file=${file##*/} file=${file%".$1"}
		[[ -z $file || $file == *[!A-Za-z0-9._-]* || $file == [.-]* ]] || names+=("$file")
	done < <(compgen -f -X "!*.$1" -- "${repo%/}/$2" 2>/dev/null)
}

# What manifest import is for.
_tarseal_reply_archives() {
	local names name
	_tarseal_names tar.gz "$cur"
	for name in "${names[@]}"; do
		[[ -e $repo/$name.seal ]] || COMPREPLY+=("$name.tar.gz")
	done
}

_tarseal_reply_series() {
	local names name seen=' '
	_tarseal_names seal ''
	for name in "${names[@]}"; do
		[[ $name =~ ^(.+)-[0-9]{8}_[0-9]{6}(-[0-9]+)?$ ]] || continue
		name=${BASH_REMATCH[1]}
		[[ $seen != *" $name "* ]] || continue
		seen+="$name "
	done
	_tarseal_reply_words "$seen"
}

_tarseal_reply_zones() {
	local zone zones=/usr/share/zoneinfo
	while IFS= read -r zone; do
		[[ $zone == [A-Z]* && $zone != *.* ]] || continue
		if [[ -d $zones/$zone ]]; then
			zone+=/
			compopt -o nospace 2>/dev/null
		fi
		COMPREPLY+=("$zone")
	done < <(cd "$zones" 2>/dev/null && compgen -f -- "$cur" 2>/dev/null)
}

_tarseal_reply_kind() {
	local names
	case $1 in
	dir) _tarseal_reply_files -d ;;
	file) _tarseal_reply_files -f ;;
	backup | two)
		_tarseal_names seal "$cur"
		COMPREPLY=("${names[@]}")
		_tarseal_reply_words latest
		[[ $1 == backup ]] || _tarseal_reply_words previous
		;;
	archive) _tarseal_reply_archives ;;
	series) _tarseal_reply_series ;;
	zone) _tarseal_reply_zones ;;
	=*) _tarseal_reply_words "${1//[=|]/ }" ;;
	esac
}

_tarseal_reply_options() {
	local name rest names=
	while read -r name rest; do
		[[ $name != --* || $given == *" $name "* ]] || names+=" $name"
	done <<<"$spec"
	_tarseal_reply_words "$names"
}

_tarseal_reply_argument() {
	local name kind again i=0
	while read -r name kind again; do
		[[ $name == argument ]] || continue
		if ((i++ == n_args)) || [[ -n $again ]]; then
			_tarseal_reply_kind "$kind"
			return
		fi
	done <<<"$spec"
}

_tarseal_reply() {
	local want given only_args n_args repo option kind again i
	_tarseal_scan "$1"
	if [[ -n $want ]]; then
		_tarseal_reply_kind "$want"
	elif [[ -z $only_args && $cur == --*=* ]]; then
		option=${cur%%=*}
		cur=${cur#*=}
		_tarseal_option "$option"
		_tarseal_reply_kind "$kind"
		# Readline replaces what stands behind the =, where that is a break between words.
		[[ $COMP_WORDBREAKS == *=* ]] || for i in "${!COMPREPLY[@]}"; do
			COMPREPLY[i]=$option=${COMPREPLY[i]}
		done
	elif [[ -z $only_args && $cur == -* ]]; then
		_tarseal_reply_options
	else
		_tarseal_reply_argument
	fi
}

# ---- the whole ----

# "backup" and "restore" are names of other programs too: ours have the three others beside them.
_tarseal_is_ours() {
	local dir program
	dir=$(type -P -- "$1" 2>/dev/null) || return 1
	dir=${dir%/*}
	for program in $_tarseal_programs; do
		[[ -x $dir/$program ]] || return 1
	done
}

_tarseal() {
	local words cword cur spec plain first=1 program IFS=$' \t\n'
	COMPREPLY=()
	_tarseal_words
	_tarseal_plain "${words[0]}"
	program=${plain##*/}
	if [[ $program == tarseal ]]; then
		if ((cword == 1)); then
			_tarseal_reply_words "$_tarseal_programs help --help --version"
			return
		fi
		program=${words[1]} first=2
		if [[ $program == help ]]; then
			((cword > 2)) || _tarseal_reply_words "$_tarseal_programs"
			return
		fi
	elif ! _tarseal_is_ours "$plain"; then
		compopt -o bashdefault -o default 2>/dev/null
		return
	fi
	if [[ $program == manifest ]]; then
		if ((cword == first)); then
			_tarseal_reply_words "$_tarseal_commands --help --version"
			return
		fi
		program+=" ${words[first++]}"
	fi
	_tarseal_spec "$program"
	_tarseal_reply $first
}

# shellcheck disable=SC2086 # a list of words
complete -F _tarseal tarseal $_tarseal_programs
