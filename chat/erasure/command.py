"""`tandem user delete`: deletes an account, and does all its steps at once, also where no node runs."""

from chat.accounts.command import find_id, open_log, with_pool
from chat.erasure.erase import Messages, begin_erasure
from chat.erasure.steps import erase_step
from chat.shared.audit import COMMAND_LINE
from chat.shared.postgres import Pool


def delete_account(database_url: str, name: str, messages: Messages, *, force: bool) -> None:
    """Delete a user. Raise `UnknownUser`, `LastAdmin` or `OnlyOwner`; `force` avoids the last two."""

    async def work(pool: Pool) -> None:
        log = await open_log(pool)
        await begin_erasure(log, COMMAND_LINE, await find_id(pool, name), messages, force=force)
        while await erase_step(log):
            pass

    with_pool(database_url, work)
