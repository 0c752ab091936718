"""Pictures of a group: the card that chats show beside a link, the poster to print, the QR code to hold out."""
