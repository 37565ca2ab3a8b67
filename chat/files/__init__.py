"""Files: uploads, image previews, attachments of messages, and downloads."""
