# Sourced by backup and restore: the folder of uploaded files, and copies of it.

find_files() {  # sets `files` to the folder that FILES_URL names, or to nothing with the reason on standard error
    case "${FILES_URL:-}" in
        file:*)
            files=${FILES_URL#file:}
            files=${files#//}
            files=$(printf '%b' "${files//%/\\x}")
            [ -d "$files" ] || { echo "FILES_URL names $files, which is not a folder." >&2; exit 1; } ;;
        '') files=; echo "FILES_URL is not set: uploaded files are not included." >&2 ;;
        *) files=; echo "Uploaded files are in a bucket, which is not included: see deploy/runbook.md." >&2 ;;
    esac
}

copy_files() {  # FROM TO: copy new and changed files; one that is deleted meanwhile is no error
    local errors
    errors=$(LC_ALL=C cp -a --update --remove-destination "$1/." "$2" 2>&1) \
        || ! grep -v ': No such file or directory$' <<<"$errors" >&2
}

remove_others() {  # COPY FROM: remove what is no longer in FROM
    local path
    while IFS= read -r -d '' path; do
        [ -e "$2/$path" ] || rm -r "${1:?}/$path"
    done < <(find "$1" -mindepth 1 -depth -printf '%P\0')
}
