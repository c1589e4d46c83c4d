import { pages } from '@jiaohao/lib/vite'

export default pages('kiosk', import.meta.dirname)
